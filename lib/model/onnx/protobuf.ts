// In: fields. Out: a Protocol Buffers message as a list of parts, so that weights of hundreds of megabytes are asked
// for only when their turn to be written comes: a library would copy the whole model twice more into memory.
// Format: https://protobuf.dev/programming-guides/encoding/

/** Bytes that are made only when they are written; their length is known, since messages carry their length first. */
export interface LazyBytes {
  length: number;
  bytes: () => Uint8Array;
}

/** A message: its fields' bytes, one after another. */
export type Message = (Uint8Array | LazyBytes)[];

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A whole number, of any of protobuf's integer types but sint and fixed. */
export function varintField(field: number, value: number): Message {
  return [Uint8Array.from([...varint(tag(field, VARINT)), ...varint(value)])];
}

/** A 32-bit float. */
export function floatField(field: number, value: number): Message {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [Uint8Array.from([...varint(tag(field, FIXED32)), ...bytes])];
}

/** A text, as UTF-8. */
export function stringField(field: number, value: string): Message {
  return bytesField(field, Buffer.from(value, 'utf8'));
}

/** Bytes, at hand or made when they are written. */
export function bytesField(field: number, value: Uint8Array | LazyBytes): Message {
  return messageField(field, [value]);
}

/** A message within a message, given in pieces. */
export function messageField(field: number, ...contents: Message[]): Message {
  const message = contents.flat();
  return [Uint8Array.from([...varint(tag(field, LENGTH_DELIMITED)), ...varint(byteLength(message))]), ...message];
}

/** A message's length in bytes. */
export function byteLength(message: Message): number {
  return message.reduce((sum, part) => sum + part.length, 0);
}

function tag(field: number, wireType: number): number {
  return field * 8 + wireType;
}

// Seven bits a byte, lowest first, the top bit set on all but the last; a negative number as its 64-bit complement.
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
