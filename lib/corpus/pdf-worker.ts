// In: a PDF's bytes and its password. Out: one message a page, with its text or with what was wrong; at last, `done`.
// Runs in a worker thread. A damaged file can make pdf-parse reject a promise that nobody holds: here that ends this
// thread, and the caller gets an 'error' event.
import { createRequire } from 'node:module';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PDFParse } from 'pdf-parse';

export interface PdfPage {
  /** 1-based. */
  page: number;
  /** Lines as they stand on the page, cells separated by tabs. */
  text: string;
  /** Why the page could not be read; its text is empty then. */
  problem?: string;
}

export type PdfMessage = PdfPage | { failed: Error } | 'done';

/** Adobe's tables from character codes to Unicode: East Asian PDFs name them and do not embed them. */
const CMAPS = path.join(
  path.dirname(createRequire(require.resolve('pdf-parse')).resolve('pdfjs-dist/package.json')),
  'cmaps/',
);

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

async function parse({ data, password }: { data: Uint8Array; password?: string }): Promise<void> {
  const send = (message: PdfMessage) => parentPort!.postMessage(message);
  const parser = new PDFParse({ data, password, verbosity: 0, cMapUrl: CMAPS, cMapPacked: true });
  try {
    const { total } = await parser.getInfo();
    for (let page = 1; page <= total; page++) {
      const read = async () => ({ page, text: (await parser.getText({ partial: [page] })).pages[0].text });
      send(await read().catch((error) => ({ page, text: '', problem: errorOf(error).message })));
    }
    send('done');
  } catch (error) {
    const { name, message } = errorOf(error);
    // As plain data: a copy of the error would lose its name.
    send({ failed: { name, message } });
  } finally {
    await parser.destroy();
  }
}

void parse(workerData);
