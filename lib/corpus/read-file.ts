// In: a document's path. Out: its pages, read by what the file is; the name comes second.
import fs from 'node:fs';
import path from 'node:path';
import type { Documents } from './pages';
import { decodeText, plainText } from './text-files';

type Reader = (source: string) => string;
// Each loaded only where it is needed.
const readMarkdown: Reader = (source) => (require('./markdown') as typeof import('./markdown')).markdownText(source);
const readHtml: Reader = (source) => (require('./html') as typeof import('./html')).htmlText(source);
const READERS: Record<string, Reader> = {
  '.md': readMarkdown,
  '.markdown': readMarkdown,
  '.txt': plainText,
  '.text': plainText,
  '.html': readHtml,
  '.htm': readHtml,
  '.xhtml': readHtml,
};
/** A text file above this size, in bytes, would not fit into memory several times over, as cleaning needs. */
const MAX_TEXT_BYTES = 20e6;
/** A PDF is held in memory whole, next to its fonts and pages. */
const MAX_PDF_BYTES = 1.5e9;

const SIGNATURES: [RegExp, string][] = [
  [/^PK/, 'a ZIP archive or an Office document'],
  [/^\s*<(?:!doctype|html|\?xml)/i, 'an HTML or XML page'],
  [/^\x89PNG|^\xff\xd8\xff|^GIF8/, 'an image'],
  [/^\xd0\xcf/, 'an old Office document'],
  [/^\{\\rtf/, 'an RTF document'],
];

/** A file's size in bytes. @throws Error whose message is a reason without the name, if it is not to be read. */
export function checkFile(file: string): number {
  const extension = path.extname(file).toLowerCase();
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  if (!stats) throw new Error('does not exist');
  if (!stats.isFile()) throw new Error('is not a file');
  if (stats.size === 0) throw new Error('is empty (0 bytes)');
  if (extension !== '.pdf' && !READERS[extension])
    throw new Error(
      `has the unknown type ${extension || '(no extension)'}; PDF, Markdown (.md), text (.txt) and HTML files are read`,
    );
  const limit = READERS[extension] ? MAX_TEXT_BYTES : MAX_PDF_BYTES;
  if (stats.size > limit) throw new Error(`has ${Math.round(stats.size / 1e6)} MB, more than ${limit / 1e6}; split it`);
  return stats.size;
}

/** @throws Error whose message is a reason without the file's name. */
export async function readFile(file: string, onPage: () => void): Promise<Documents> {
  const extension = path.extname(file).toLowerCase();
  const data = fs.readFileSync(file);
  // As an array of its own: pdf.js takes over the memory behind it, and a small buffer's is a part of a larger one.
  const bytes = data.length === data.buffer.byteLength ? new Uint8Array(data.buffer) : Uint8Array.from(data);
  const head = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  // Readers of PDFs accept up to 1024 bytes before the signature.
  if (head.includes('%PDF-')) return (require('./pdf') as typeof import('./pdf')).readPdf(file, bytes, onPage);
  if (extension === '.pdf' || head.startsWith('{\\rtf')) {
    const kind = SIGNATURES.find(([pattern]) => pattern.test(head))?.[1] ?? 'something else';
    const name = extension === '.pdf' ? 'a PDF' : 'plain text';
    throw new Error(`is not ${name} in spite of its name; it looks like ${kind}`);
  }
  const reader = /^\s*<(?:!doctype html|html)\b/i.test(head) ? readHtml : READERS[extension];
  const text = reader(decodeText(bytes));
  if (!text) throw new Error('holds no text');
  return { pages: [{ file, page: 1, text }], skipped: [] };
}
