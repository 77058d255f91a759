// In: a path and its contents. Out: a file that appears whole or not at all; and JSON back, with errors that name it.
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';

const NOT_ALLOWED = 'you may not write there. Choose another folder, or give yourself the right to';
/** Why something cannot be written, and what to do, by the system's code. */
const ADVICE: Record<string, string> = {
  ENOSPC: 'the disk is full. Free some space and run this again',
  EDQUOT: 'your share of the disk is used up. Free some space and run this again',
  EROFS: 'the disk is read-only. Choose a folder that can be written to',
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  ENOTDIR: 'a file stands where a folder is needed. Move it away, or choose another folder',
};

/**
 * Does what writes to a path.
 *
 * @throws Error with the system's `code` where that fails: one sentence with the path, the reason, and what to do
 */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (!syscall) throw error; // not the system's, or said already
    const why = ADVICE[code ?? ''] ?? message;
    throw Object.assign(new Error(`${path} cannot be written: ${why}; what was there before stays.`), { code });
  }
}

/** Makes a folder and those above it; by hand, because a recursive mkdir says ENOENT where a disk is read-only. */
export function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  makeFolder(dirname(resolve(folder)));
  writing(folder, () => {
    try {
      fs.mkdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was quicker
    }
  });
}

/** The name under which this process writes a file until it is whole. */
export const temporaryName = (file: string): string => `${file}.${process.pid}.tmp`;

/**
 * Writes under a temporary name in the same folder (made if missing), then renames: no reader sees half a file.
 *
 * By hand, because write-file-atomic (8.0) does not look at how much was written: on a full disk it puts half a file in
 * the place of the old one, and reports success. `writeFileSync` goes on until all is written, or throws.
 *
 * @param contents a large file's part by part, each asked for in its turn
 * @param flush whether all is on the disk before the file takes its place: slow, and not needed for many small files
 * @throws Error as {@link writing}; the earlier file stays then
 */
export function writeWhole(file: string, contents: string | Uint8Array | Iterable<Uint8Array>, flush = false): void {
  makeFolder(dirname(file));
  const temporary = temporaryName(file);
  writing(file, () => {
    try {
      const descriptor = fs.openSync(temporary, 'w');
      try {
        const isWhole = typeof contents === 'string' || contents instanceof Uint8Array;
        for (const part of isWhole ? [contents] : contents) fs.writeFileSync(descriptor, part);
        if (flush) fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      fs.renameSync(temporary, file);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Writes a value as JSON, as {@link writeWhole} does, and on the disk. */
export function writeJson(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 4)}\n`, true);
}

/**
 * @param advice what the reader can do if the file is missing or broken, a sentence
 * @throws Error that names the file if it is missing, or no JSON in UTF-8.
 */
export function readJson(file: string, advice = ''): unknown {
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
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
