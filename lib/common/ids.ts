// In: what something consists of. Out: an id that depends on nothing else, the same in every run and on every machine.

import { createHash } from 'node:crypto';

/** SHA-256 of a text in UTF-8, 64 hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The id of what `parts`, in this order, say; ids on disk hang on it.
 * @param parts Texts, or other values of JSON.
 * @returns 64 hexadecimal digits, of which users may take the first.
 */
export function contentId(...parts: unknown[]): string {
  return sha256(JSON.stringify(parts));
}
