// In: files, folders and globs. Out: the pages of every document that could be read, and, for each that could not, why.
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Documents } from './pages';
import { checkFile } from './read-file';
import { inThread } from './thread';

const HIDDEN = /(^|[\\/])(?:\.[^.\\/]|node_modules(?:[\\/]|$))/;

/**
 * The files that a path, a folder (with all its sub-folders) or a glob stands for, in the order of their names; links
 * that lead nowhere too, so that the reader names them.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
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

/**
 * Reads documents, in a thread, so that Jupyter's stop button ends it: a PDF page by page, a Markdown, text or HTML
 * file as a single page. Running headers, footers and page numbers are left out; paragraphs are put together again;
 * tables keep their rows. What cannot be read (encrypted, scanned, damaged, …) is named, and the others go on.
 * @param patterns Files, folders and globs such as `reports/**\/*.pdf`. A file that two of them match is read once.
 * @returns Pages in order; a page without text has an empty one, a page too damaged to read is left out.
 */
export async function readDocuments(patterns: string[]): Promise<Documents> {
  const { pages, skipped }: Documents = { pages: [], skipped: [] };
  const files = new Map<string, string>();
  for (const pattern of patterns) {
    const found = await expandPattern(pattern);
    if (found.length === 0) skipped.push({ file: pattern, reason: 'matches no file' });
    for (const file of found) if (!files.has(path.resolve(file))) files.set(path.resolve(file), file);
  }
  for (const file of files.values()) {
    try {
      const result = await inThread<Documents>({ file }, checkFile(file));
      for (const page of result.pages) pages.push(page);
      skipped.push(...result.skipped);
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error;
      skipped.push({ file, reason: (error as Error).message });
    }
  }
  return { pages, skipped };
}
