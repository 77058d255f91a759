// In: a path and its contents. Out: a file that appears whole or not at all; and JSON back, with errors that name it.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes under a temporary name in the same folder (made if missing), then renames: no reader sees half a file.
 *
 * By hand, because write-file-atomic (8.0) does not look at how much was written: on a full disk it puts half a file in
 * the place of the old one, and reports success. `writeFileSync` goes on until all is written, or throws.
 */
export function writeWhole(file: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, contents);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Writes a value as JSON, as {@link writeWhole} does. */
export function writeJson(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 4)}\n`);
}

/**
 * @param advice what the reader can do if the file is missing or broken, a sentence
 * @throws Error that names the file if it is missing, or no JSON in UTF-8.
 */
export function readJson(file: string, advice = ''): unknown {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = `${file}: there is no such file. ${advice}`.trim();
    throw new Error(code === 'ENOENT' ? missing : `${file}: cannot be read: ${message}`);
  }
  try {
    // Refuses bytes that are no UTF-8: replaced by marks, they would be trained on.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}. ${advice}`.trim());
  }
}
