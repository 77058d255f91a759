// In: what a cell does, or has made. Out: the same, ended by Jupyter's stop button, freed when the cell runs again.

/**
 * Runs work that can be stopped with Jupyter's stop button (or Ctrl+C): the signal is set off, the work ends in its own
 * time and order, and the cell goes on behind it as if it had ended by itself. A second interruption ends the cell.
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // A kernel runs a cell's synchronous part under V8's own handler; a listener added meanwhile goes with it.
  await new Promise(setImmediate);
  const controller = new AbortController();
  // The kernel's own listener would end the cell, and forget what it declares.
  const others = process.listeners('SIGINT');
  const stop = () => {
    restore();
    controller.abort(new Error('Stopped by the user.'));
  };
  const restore = () => {
    if (!process.listeners('SIGINT').includes(stop)) return;
    for (const listener of others) process.on('SIGINT', listener);
    process.off('SIGINT', stop);
  };
  process.on('SIGINT', stop);
  for (const listener of others) process.off('SIGINT', listener);
  try {
    return await work(controller.signal);
  } finally {
    restore();
  }
}

const kept = new Map<string, { dispose(): void }>();

/**
 * Keeps what a cell has made under a name, and frees what an earlier run of the cell kept there. A notebook declares a
 * constant anew each time its cell runs; a model behind the old one would stay in memory, as TensorFlow's tensors are
 * not garbage-collected.
 *
 *     const model = replaceEarlier('model', await loadModel(BASE_MODEL));
 */
export function replaceEarlier<T extends { dispose(): void }>(name: string, made: T): T {
  const earlier = kept.get(name);
  if (earlier !== made) earlier?.dispose();
  kept.set(name, made);
  return made;
}
