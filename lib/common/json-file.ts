// JSON files: read with errors that name the file, written whole or not at all.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * @param whenMissing what the reader can do about a missing file, a sentence
 * @throws Error that names the file if it is missing or no JSON.
 */
export async function readJson(file: string, whenMissing = ''): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = `${file}: there is no such file. ${whenMissing}`.trim();
    throw new Error(code === 'ENOENT' ? missing : `${file}: cannot be read: ${message}`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}`);
  }
}

/** Writes under another name in the same folder first, then renames: a reader never sees half a file. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const unfinished = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(unfinished, `${JSON.stringify(value, null, 4)}\n`);
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
