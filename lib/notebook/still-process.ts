// In: traces and a layout, complete. Out: the plot as SVG text, drawn in a process of its own (still-picture.ts), which
// ends when it has nothing to do: Plotly and the page that it draws in hold 100 MB, which a thread gives back late.
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import path from 'node:path';
import type { Layout, Trace } from './theme';

/** Milliseconds for which it waits for the next plot: starting it again takes a second. */
const IDLE_MS = 2000;

let waiting: ChildProcess | undefined;
let idle: NodeJS.Timeout | undefined;

async function draw(...chart: [Trace[], Layout]): Promise<string> {
  clearTimeout(idle);
  // What a kernel is started with, such as --require, is not for this process.
  const settings: ForkOptions = { execArgv: [], serialization: 'advanced' };
  const drawing = waiting ?? fork(path.join(__dirname, 'still-picture.js'), settings);
  waiting = undefined; // an error ends it
  drawing.ref();
  drawing.channel?.ref();
  const svg = await new Promise<string>((resolve, reject) => {
    for (const event of ['error', 'exit']) drawing.removeAllListeners(event); // those of the plot before
    drawing.once('message', resolve);
    drawing.once('error', reject);
    drawing.once('exit', () => reject(new Error('The still picture was not drawn: its process ended.')));
    drawing.send(chart);
  });
  drawing.unref();
  drawing.channel?.unref();
  waiting = drawing;
  idle = setTimeout(() => {
    waiting = undefined;
    drawing.kill('SIGKILL');
    // The signal of its end comes while nothing computes: see `product` in model/tf.ts.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }, IDLE_MS).unref();
  return svg;
}

let last: Promise<unknown> = Promise.resolve();

/** A complete SVG file; plots are drawn one after another. @throws Error if Plotly throws */
export function drawStill(traces: Trace[], layout: Layout): Promise<string> {
  const drawn = last.then(() => draw(traces, layout));
  last = drawn.catch(() => {});
  return drawn;
}
