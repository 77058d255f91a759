// In: a document to read, or pages to cut. Out: what the thread in document-worker.ts made of them, or why it made
// nothing. The process that waits stays free: no document can block a notebook's kernel, end it, or fill its memory.
import path from 'node:path';
import { Worker } from 'node:worker_threads';

/** What the thread says: a sign of life with each page or chunk, then what came of it. */
export type Message = 'reading' | { result: unknown } | { failed: string };

/** No page takes this long; a reader that sends nothing for so many milliseconds runs in circles. */
const STALLED_MS = 60_000;
/** What reading may take, in bytes, besides the file itself: well under 1 GB together with a kernel. */
const MAX_BYTES = 600e6;

/**
 * Runs a task in a thread of its own, and ends it when the process is interrupted (Jupyter's stop button, Ctrl+C).
 * @param fileSize in bytes; a PDF is held in memory whole, next to its fonts and pages
 * @throws Error whose message is a reason without the file's name: `is damaged …`; with the name AbortError if stopped.
 */
export async function inThread<T>(task: object, fileSize = 0): Promise<T> {
  // A kernel runs a cell's synchronous part under V8's own handler; a listener added meanwhile goes with it.
  await new Promise(setImmediate);
  return new Promise((resolve, reject) => {
    const limit = MAX_BYTES + fileSize;
    const worker = new Worker(path.join(__dirname, 'document-worker.js'), {
      workerData: task,
      // Beyond the limit below: V8 ends the thread where it allocates faster than that is looked at.
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(limit / 1e6) },
      // A parser's warnings about odd fonts are no use to the reader of a notebook.
      stdout: true,
      stderr: true,
      // A kernel started with --require or --inspect must not pass that on.
      execArgv: [],
    });
    const before = process.memoryUsage.rss();
    let lastSign = Date.now();
    const finish = (settle: () => void) => {
      clearInterval(watch);
      process.off('SIGINT', stop);
      settle();
      void worker.terminate();
    };
    const fail = (reason: string, name = 'Error') => finish(() => reject(Object.assign(new Error(reason), { name })));
    const stop = () => fail('Stopped by the user.', 'AbortError');
    const tooLarge = () =>
      fail(`takes more than ${Math.round(limit / 1e6)} MB of memory to read; it is damaged, or needs splitting`);
    const watch = setInterval(() => {
      if (process.memoryUsage.rss() - before > limit) tooLarge();
      else if (Date.now() - lastSign > STALLED_MS)
        fail(`gave nothing for ${STALLED_MS / 1000} s; it is probably damaged`);
    }, 50);
    process.on('SIGINT', stop);
    worker.on('message', (message: Message) => {
      lastSign = Date.now();
      if (message === 'reading') return;
      if ('failed' in message) fail(message.failed);
      else finish(() => resolve(message.result as T));
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return tooLarge();
      // What Node says of a rejection that nobody held is about programs; its last words are about the file.
      const detail = /rejected with the reason "(?:#<)?(.+?)>?"\.?$/s.exec(error.message)?.[1] ?? error.message;
      fail(`is damaged or not complete (${detail.replace(/\.$/, '')})`);
    });
    worker.on('exit', () => fail('is damaged: its reader stopped half-way'));
  });
}
