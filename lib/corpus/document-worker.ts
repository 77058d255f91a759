// In: a task, as the thread's data. Out: its result as a message, or what failed; before it, one message a page or
// chunk, as a sign of life. A damaged file can make pdf-parse reject a promise that nobody holds: that ends only this.
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkSettings } from './chunk';
import type { Page } from './pages';
import type { Message } from './thread';

type Task = { file: string } | { pages: Page[]; settings: Required<ChunkSettings> };

async function run(task: Task): Promise<unknown> {
  const onPart = () => parentPort!.postMessage('reading' satisfies Message);
  // Each loaded only where it is needed: a thread for a page of text starts in 50 ms.
  if ('file' in task) return (require('./read-file') as typeof import('./read-file')).readFile(task.file, onPart);
  return (require('./chunk') as typeof import('./chunk')).cutPages(task.pages, task.settings, onPart);
}

run(workerData).then(
  (result) => parentPort!.postMessage({ result } satisfies Message),
  (error) => parentPort!.postMessage({ failed: error instanceof Error ? error.message : `${error}` } satisfies Message),
);
