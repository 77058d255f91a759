// In: the bytes of a PDF. Out: its pages as readable text, and what is wrong with it.
import { createRequire } from 'node:module';
import path from 'node:path';
import { PDFParse } from 'pdf-parse';
import { withoutFurniture } from '../common/text/page-furniture';
import { cleanPage, countWords } from './clean';
import type { Documents } from './pages';

interface RawPage {
  page: number;
  /** Lines as they stand on the page, cells separated by tabs. */
  text: string;
  /** Why the page could not be read; its text is empty then. */
  problem?: string;
}

/** Adobe's tables from character codes to Unicode: East Asian PDFs name them and do not embed them. */
const CMAPS = path.join(
  path.dirname(createRequire(require.resolve('pdf-parse')).resolve('pdfjs-dist/package.json')),
  'cmaps/',
);
/** What pdf.js says of a file that breaks the rules without harm to its text. */
const HARMLESS = /font|glyph|cmap|\bTT:|unicode|image|colou?r|annotation/i;

/** The raw pages, and what pdf.js warned of: it repairs what it can, and says so only there. */
async function parse(data: Uint8Array, onPage: () => void): Promise<{ raw: RawPage[]; warnings: string[] }> {
  const warnings = new Set<string>();
  console.warn = (text) => HARMLESS.test(text) || warnings.add(text.replace(/^Warning: |\.$/g, ''));
  console.log = console.warn;
  // A password is a secret: it belongs in the environment, not in a notebook that is shared.
  const password = process.env.PDF_PASSWORD || undefined;
  const parser = new PDFParse({ data, password, verbosity: 1, cMapUrl: CMAPS, cMapPacked: true });
  try {
    const raw: RawPage[] = [];
    const { total } = await parser.getInfo();
    for (let page = 1; page <= total; page++) {
      const read = async () => ({ page, text: (await parser.getText({ partial: [page] })).pages[0].text });
      raw.push(await read().catch(({ message }) => ({ page, text: '', problem: message })));
      onPage();
    }
    return { raw, warnings: [...warnings] };
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== 'PasswordException')
      throw new Error(`is damaged or not a complete PDF (${message.replace(/\.$/, '')})`);
    throw new Error(
      `is encrypted${password ? ', and the password given does not open it' : '; give its password in PDF_PASSWORD'}`,
    );
  } finally {
    await parser.destroy();
  }
}

/** Fonts without a Unicode map give private-use characters and replacement marks instead of letters. */
function isGibberish(text: string): boolean {
  const sample = text.slice(0, 100_000).replace(/\s/g, '');
  return (sample.match(/[\p{Co}\p{Cn}\p{Cc}\ufffd]/gu)?.length ?? 0) > 0.3 * sample.length;
}

/** @throws Error whose message is a reason without the file's name: encrypted, damaged, a scan. */
export async function readPdf(file: string, data: Uint8Array, onPage: () => void): Promise<Documents> {
  const { raw, warnings } = await parse(data, onPage);
  if (raw.length === 0) throw new Error('has no pages');
  const readable = raw.filter(({ problem }) => problem === undefined);
  const texts = raw.map(({ text }) => text);
  const all = texts.join('');
  if (!/\S/.test(all)) {
    const damage = warnings[0] ?? raw.find(({ problem }) => problem)?.problem;
    throw new Error(
      damage
        ? `is damaged: no text can be read from its ${raw.length} page(s) (${damage})`
        : `has ${raw.length} page(s) and no text, so it is a scan, or damaged; for a scan, run OCR first (ocrmypdf, for one)`,
    );
  }
  if (isGibberish(all)) throw new Error('has text without a Unicode map, which reads as gibberish; run OCR first');
  const words = countWords(texts);
  const bodies = withoutFurniture(texts);
  // A stack of forms can be alike from first line to last: then nothing is furniture.
  const kept = bodies.some(Boolean) ? bodies : texts;
  const skipped = raw.flatMap(({ page, problem }) =>
    problem === undefined ? [] : { file: `${file}, page ${page}`, reason: `could not be read (${problem})` },
  );
  if (warnings.length > 0) skipped.push({ file: `parts of ${file}`, reason: `it is damaged (${warnings[0]})` });
  return { pages: readable.map(({ page }) => ({ file, page, text: cleanPage(kept[page - 1], words) })), skipped };
}
