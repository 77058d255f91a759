// In: a PDF's bytes and its password. Out: one message a batch of pages, each with its text or with what was wrong.
// Runs in a worker thread. A damaged file can make pdf-parse reject a promise that nobody holds: here that ends this
// thread, and the caller gets an 'error' event.
import { createRequire } from 'node:module';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PDFParse } from 'pdf-parse';

export interface PdfJob {
  data: Uint8Array;
  password?: string;
}

export type PdfMessage =
  | { kind: 'pages'; total: number; pages: { page: number; text?: string; error?: string }[] }
  | { kind: 'failed'; name: string; message: string }
  | { kind: 'done' };

/** Pages parsed between two messages: few enough for a smooth progress bar. */
const BATCH = 10;

/** Adobe's tables from character codes to Unicode: East Asian PDFs name them and do not embed them. */
const CMAPS = path.join(
  path.dirname(createRequire(require.resolve('pdf-parse')).resolve('pdfjs-dist/package.json')),
  'cmaps/',
);

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

async function parse({ data, password }: PdfJob): Promise<void> {
  const send = (message: PdfMessage) => parentPort!.postMessage(message);
  const parser = new PDFParse({ data, password, verbosity: 0, cMapUrl: CMAPS, cMapPacked: true });
  const readPage = async (page: number) => {
    try {
      return { page, text: (await parser.getText({ partial: [page] })).pages[0].text };
    } catch (error) {
      return { page, error: errorOf(error).message };
    }
  };
  try {
    const { total } = await parser.getInfo();
    for (let first = 1; first <= total; first += BATCH) {
      const last = Math.min(first + BATCH - 1, total);
      const pages: { page: number; text?: string; error?: string }[] = [];
      for (let page = first; page <= last; page++) pages.push(await readPage(page));
      send({ kind: 'pages', total, pages });
    }
    send({ kind: 'done' });
  } catch (error) {
    const { name, message } = errorOf(error);
    send({ kind: 'failed', name, message });
  } finally {
    await parser.destroy();
  }
}

void parse(workerData as PdfJob);
