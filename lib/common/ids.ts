// In: what a thing consists of. Out: its id, the same in every run and on every machine, so that it is found.
import { createHash } from 'node:crypto';
import fs from 'node:fs';

/** SHA-256 of bytes, or of a text in UTF-8, 64 hexadecimal digits. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of a file's bytes, in hex; part by part, as Node reads no more than 2 GiB at once. */
export function hashFile(path: string): string {
  const hash = createHash('sha256');
  const part = Buffer.alloc(2 ** 20);
  const descriptor = fs.openSync(path, 'r');
  try {
    for (let read = fs.readSync(descriptor, part); read > 0; read = fs.readSync(descriptor, part))
      hash.update(part.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest('hex');
}

/**
 * The id of what `parts`, in this order, say; ids on disk hang on it.
 * @param parts Texts, or other values of JSON.
 * @returns 64 hexadecimal digits, of which users may take the first.
 */
export function contentId(...parts: unknown[]): string {
  return sha256(JSON.stringify(parts));
}

/** A question's id: a UUID of version 8 (RFC 9562, section 5.8), made of {@link contentId}. */
export function questionId(...parts: string[]): string {
  return uuid(Buffer.from(contentId(...parts), 'hex'), 8);
}

/** Namespace of the chunks' ids, itself a random UUID. */
const CHUNKS = Buffer.from('8d3c1f7e52b94c0da6e4710b9f25c8a3', 'hex');

/** A chunk's id: a UUID of version 5 (RFC 9562, section 5.5), the SHA-1 of a namespace and a name. */
export function chunkId(name: string): string {
  return uuid(createHash('sha1').update(CHUNKS).update(name).digest(), 5);
}

function uuid(bytes: Buffer, version: number): string {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
