// In: the bytes of a PDF. Out: the raw text of each page, lines as they stand on it, cells separated by tabs; and the
// pages that could not be read. Parsing happens in a worker thread, so that no damaged file can end this process.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { OnProgress } from '../common/matrix';
import type { PdfJob, PdfMessage } from './pdf-worker';

/** No page takes this long; a parser that sends nothing for so many milliseconds runs in circles. */
const STALLED_MS = 120_000;

export interface PdfPages {
  /** Raw texts, index 0 = page 1; null where the page could not be read. */
  texts: (string | null)[];
  badPages: { page: number; reason: string }[];
}

function reasonOf(name: string, message: string, password?: string): string {
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
 *
 * @param data - The file's bytes; moved to the thread, so empty afterwards.
 * @throws Error whose message is a reason without the file's name: `is encrypted; …`, `is damaged …`.
 */
export function parsePdf(data: Uint8Array, password?: string, onProgress?: OnProgress): Promise<PdfPages> {
  return new Promise((resolve, reject) => {
    const result: PdfPages = { texts: [], badPages: [] };
    const job: PdfJob = { data, password };
    const worker = new Worker(path.join(__dirname, 'pdf-worker.js'), {
      workerData: job,
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
      if (message.kind === 'failed') fail(reasonOf(message.name, message.message, password));
      else if (message.kind === 'done') finish(() => resolve(result));
      else {
        for (const { page, text, error } of message.pages) {
          result.texts[page - 1] = text ?? null;
          if (error !== undefined) result.badPages.push({ page, reason: `could not be read (${error})` });
        }
        onProgress?.(result.texts.length, message.total);
        watch();
      }
    });
    worker.on('error', (error) => fail(reasonOf(error.name, error.message, password)));
    worker.on('exit', () => fail('is damaged: its parser stopped half-way'));
    watch();
  });
}
