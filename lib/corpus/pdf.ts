// In: the bytes of a PDF. Out: the raw text of each page, or why it could not be read. Parsing happens in a worker
// thread, so that no damaged file can end this process.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PdfMessage, PdfPage } from './pdf-worker';

/** No page takes this long; a parser that sends nothing for so many milliseconds runs in circles. */
const STALLED_MS = 120_000;

function reasonOf({ name, message }: Error, password?: string): string {
  if (name === 'PasswordException')
    return password
      ? 'is encrypted, and the password given does not open it'
      : 'is encrypted; give its password in PDF_PASSWORD';
  // What Node says of a rejection that nobody held is about programs; its last words are about the file.
  const detail = /rejected with the reason "(?:#<)?(.+?)>?"\.?$/s.exec(message)?.[1] ?? message;
  return `is damaged or not a complete PDF (${detail.replace(/\.$/, '')})`;
}

/**
 * Parses a PDF in a thread of its own.
 * @param data The file's bytes; moved to the thread, so empty afterwards.
 * @throws Error whose message is a reason without the file's name: `is encrypted; …`, `is damaged …`.
 */
export function parsePdf(data: Uint8Array, password?: string): Promise<PdfPage[]> {
  return new Promise((resolve, reject) => {
    const pages: PdfPage[] = [];
    const worker = new Worker(path.join(__dirname, 'pdf-worker.js'), {
      workerData: { data, password },
      transferList: [data.buffer as ArrayBuffer],
      // The parser's warnings about odd fonts are no use to the reader of a notebook.
      stdout: true,
      stderr: true,
      // A kernel started with --require or --inspect must not pass that on.
      execArgv: [],
    });
    let timer: NodeJS.Timeout;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      settle();
      void worker.terminate();
    };
    const fail = (reason: string) => finish(() => reject(new Error(reason)));
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(`gave no page for ${STALLED_MS / 1000} s; it is probably damaged`), STALLED_MS);
    };
    worker.on('message', (message: PdfMessage) => {
      if (message === 'done') finish(() => resolve(pages));
      else if ('failed' in message) fail(reasonOf(message.failed, password));
      else {
        pages.push(message);
        watch();
      }
    });
    worker.on('error', (error) => fail(reasonOf(error, password)));
    worker.on('exit', () => fail('is damaged: its parser stopped half-way'));
    watch();
  });
}
