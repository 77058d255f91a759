// The stop button of Jupyter, for work that takes long: an AbortSignal that the interruption of the kernel sets off.

/**
 * Runs work that can be stopped with Jupyter's stop button (or Ctrl+C). tslab ends the cell at once on an interruption while its work goes on
 * behind; work that heeds the signal ends too, in its own time and order.
 */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('Stopped by the user.'));
  process.on('SIGINT', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop);
  }
}
