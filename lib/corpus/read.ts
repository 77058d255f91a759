// In: files, folders and globs. Out: the pages of every document that could be read, and, for each that could not, why.
import fs from 'node:fs/promises';
import path from 'node:path';
import { findPageFurniture, stripFurniture } from '../common/text/page-furniture';
import { cleanPage, countWords } from './clean';
import { markdownText } from './markdown';
import { parsePdf } from './pdf';
import { decodeText, htmlText, plainText } from './text-files';

/** One page of a document (for text, Markdown and HTML: the whole file). */
export interface Page {
  /** Path of the file, as it was given. */
  file: string;
  /** 1-based. */
  page: number;
  /** Paragraphs separated by an empty line; a table's rows one a line, their cells separated by a tab. */
  text: string;
}

/** What was read, and the files and pages that could not be, and why. */
export interface Documents {
  pages: Page[];
  skipped: { file: string; reason: string }[];
}

const READERS: Record<string, (source: string) => string | Promise<string>> = {
  '.md': markdownText,
  '.markdown': markdownText,
  '.txt': plainText,
  '.text': plainText,
  '.html': htmlText,
  '.htm': htmlText,
  '.xhtml': htmlText,
};
/** A text file above this size, in bytes, would not fit into memory several times over, as cleaning needs. */
const MAX_TEXT_BYTES = 200e6;
/** A PDF is held in memory whole, next to its fonts and pages. */
const MAX_PDF_BYTES = 1.5e9;

const HIDDEN = /(^|[\\/])(?:\.[^.\\/]|node_modules(?:[\\/]|$))/;
const SIGNATURES: [RegExp, string][] = [
  [/^PK/, 'a ZIP archive or an Office document'],
  [/^\s*<(?:!doctype|html|\?xml)/i, 'an HTML or XML page'],
  [/^\x89PNG|^\xff\xd8\xff|^GIF8/, 'an image'],
  [/^\xd0\xcf/, 'an old Office document'],
  [/^\{\\rtf/, 'an RTF document'],
];

/**
 * The files that a path, a folder (with all its sub-folders) or a glob stands for, in the order of their names; links
 * that lead nowhere too, so that the reader names them.
 */
async function expand(pattern: string): Promise<string[]> {
  const stats = await fs.stat(pattern).catch(() => null);
  if (stats?.isFile()) return [pattern];
  const files: string[] = [];
  // A folder is no part of the glob: its name may hold brackets.
  for await (const entry of stats ? fs.glob('**/*', { cwd: pattern }) : fs.glob(pattern)) {
    const file = stats ? path.join(pattern, entry) : entry;
    const found = await fs.stat(file).catch(() => null);
    if (!HIDDEN.test(entry) && !found?.isDirectory()) files.push(file);
  }
  return files.sort();
}

/** Fonts without a Unicode map give private-use characters and replacement marks instead of letters. */
function isGibberish(text: string): boolean {
  const sample = text.slice(0, 100_000).replace(/\s/g, '');
  return (sample.match(/[\p{Co}\p{Cn}\p{Cc}\ufffd]/gu)?.length ?? 0) > 0.3 * sample.length;
}

async function readPdf(file: string, data: Uint8Array): Promise<Documents> {
  // A password is a secret: it belongs in the environment, not in a notebook that is shared.
  const raw = await parsePdf(data, process.env.PDF_PASSWORD || undefined);
  if (raw.length === 0) throw new Error('has no pages');
  const readable = raw.filter(({ problem }) => problem === undefined);
  if (readable.length === 0) throw new Error(`is damaged: none of its ${raw.length} pages can be read`);
  const texts = raw.map(({ text }) => text);
  const all = texts.join('');
  if (!/\S/.test(all))
    throw new Error(`has ${raw.length} page(s) and no text, as scans have; run OCR first (ocrmypdf, for one)`);
  if (isGibberish(all)) throw new Error('has text without a Unicode map, which reads as gibberish; run OCR first');
  const furniture = findPageFurniture(raw);
  const words = countWords(texts);
  const bodies = texts.map((text, i) => stripFurniture(text, furniture[i]));
  // A stack of forms can be alike from first line to last: then nothing is furniture.
  const kept = bodies.some(Boolean) ? bodies : texts;
  return {
    pages: readable.map(({ page }) => ({ file, page, text: cleanPage(kept[page - 1], words) })),
    skipped: raw.flatMap(({ page, problem }) =>
      problem === undefined ? [] : { file: `${file}, page ${page}`, reason: `could not be read (${problem})` },
    ),
  };
}

async function readFile(file: string): Promise<Documents> {
  const extension = path.extname(file).toLowerCase();
  const stats = await fs.stat(file).catch(() => null);
  if (!stats) throw new Error('does not exist');
  if (!stats.isFile()) throw new Error('is not a file');
  if (stats.size === 0) throw new Error('is empty (0 bytes)');
  const limit = READERS[extension] ? MAX_TEXT_BYTES : MAX_PDF_BYTES;
  if (stats.size > limit) throw new Error(`has ${Math.round(stats.size / 1e6)} MB, more than ${limit / 1e6}; split it`);
  if (extension !== '.pdf' && !READERS[extension])
    throw new Error(
      `has the unknown type ${extension || '(no extension)'}; PDF, Markdown (.md), text (.txt) and HTML files are read`,
    );
  const data = await fs.readFile(file);
  // A buffer of its own can be moved to another thread; a small file's is a part of a larger one, and is copied.
  const bytes = data.length === data.buffer.byteLength ? new Uint8Array(data.buffer) : Uint8Array.from(data);
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  // Readers of PDFs accept up to 1024 bytes before the signature.
  if (head.includes('%PDF-')) return readPdf(file, bytes);
  if (extension === '.pdf' || head.startsWith('{\\rtf')) {
    const kind = SIGNATURES.find(([pattern]) => pattern.test(head))?.[1] ?? 'something else';
    const name = extension === '.pdf' ? 'a PDF' : 'plain text';
    throw new Error(`is not ${name} in spite of its name; it looks like ${kind}`);
  }
  const reader = /^\s*<(?:!doctype html|html)\b/i.test(head) ? htmlText : READERS[extension];
  const text = await reader(decodeText(bytes));
  if (!text) throw new Error('holds no text');
  return { pages: [{ file, page: 1, text }], skipped: [] };
}

/**
 * Reads one document: a PDF page by page, a Markdown, text or HTML file as a single page. Running headers, footers and
 * page numbers are left out; paragraphs are put together again; tables keep their rows.
 * @returns Pages in order; a page without text has an empty one, a page too damaged to read is left out.
 * @throws Error that names the file and says why it cannot be read: encrypted, scanned, damaged, empty, not a PDF.
 */
export async function readPages(file: string): Promise<Page[]> {
  try {
    return (await readFile(file)).pages;
  } catch (error) {
    throw new Error(`${file} ${(error as Error).message}`);
  }
}

/**
 * Reads many documents. What cannot be read is named with its reason, and the others go on.
 * @param patterns Files, folders and globs such as `reports/**\/*.pdf`. A file that two of them match is read once.
 */
export async function readDocuments(patterns: string[]): Promise<Documents> {
  const { pages, skipped }: Documents = { pages: [], skipped: [] };
  const files = new Map<string, string>();
  for (const pattern of patterns) {
    const found = await expand(pattern);
    if (found.length === 0) skipped.push({ file: pattern, reason: 'matches no file' });
    for (const file of found) if (!files.has(path.resolve(file))) files.set(path.resolve(file), file);
  }
  for (const file of files.values()) {
    try {
      const result = await readFile(file);
      for (const page of result.pages) pages.push(page);
      skipped.push(...result.skipped);
    } catch (error) {
      skipped.push({ file, reason: (error as Error).message });
    }
  }
  return { pages, skipped };
}
