// In: work that takes long. Out: the same with an AbortSignal, which Jupyter's stop button sets off.

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
