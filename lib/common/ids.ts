// In: what a thing consists of. Out: its id, the same in every run, so that what was kept is found again.
import { createHash } from 'node:crypto';

/** Namespace of the chunks' ids, itself a random UUID. */
const CHUNKS = Buffer.from('8d3c1f7e52b94c0da6e4710b9f25c8a3', 'hex');

/** SHA-256 of the parts, in order, as 64 hexadecimal digits: names what is kept for later runs. */
export function contentId(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** A UUID of version 8 (RFC 9562, section 5.8) that depends on nothing but the parts. */
export function questionId(...parts: string[]): string {
  return uuid(Buffer.from(contentId(...parts), 'hex'), 8);
}

/** A UUID of version 5 (RFC 9562, section 5.5): the SHA-1 of a namespace and a name. */
export function chunkId(name: string): string {
  return uuid(createHash('sha1').update(CHUNKS).update(name).digest(), 5);
}

function uuid(bytes: Buffer, version: number): string {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
