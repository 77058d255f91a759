// In: a safetensors file, or tensors by name. Out: the other. It holds an 8-byte header length, a JSON header, then the
// raw little-endian numbers: https://github.com/huggingface/safetensors#format
import fs from 'node:fs';
import { writeWhole } from '../common/files';

/** A weight as stored: its shape and its values, row-major. */
export interface StoredTensor {
  shape: number[];
  data: Float32Array;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const MAX_HEADER_BYTES = 100_000_000;
const BYTES_PER_VALUE: Record<string, number> = { F32: 4, F16: 2, BF16: 2 };

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: Uint16Array): Float32Array {
  const widened = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) widened[i] = bits[i] << 16;
  return new Float32Array(widened.buffer);
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function fromFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/**
 * Reads every floating-point tensor of a safetensors file as 32-bit floats. Integer tensors, such as a stored
 * `position_ids`, are passed over.
 *
 * @throws Error naming the file (and tensor) if the file is damaged or a tensor's size disagrees with its shape.
 */
export function readSafetensors(file: string): Map<string, StoredTensor> {
  const descriptor = fs.openSync(file, 'r');
  try {
    const size = fs.fstatSync(descriptor).size;
    const damaged = (what: string) =>
      new Error(`${file} is not a complete safetensors file (${what}); download or copy it again.`);
    const lengthBytes = Buffer.alloc(8);
    if (fs.readSync(descriptor, lengthBytes, 0, 8, 0) < 8) throw damaged('shorter than its header');
    const headerLength = Number(lengthBytes.readBigUInt64LE());
    if (headerLength > MAX_HEADER_BYTES || headerLength + 8 > size) throw damaged('bad header length');
    const headerBytes = Buffer.alloc(headerLength);
    fs.readSync(descriptor, headerBytes, 0, headerLength, 8);
    let header: Record<string, HeaderEntry>;
    try {
      header = JSON.parse(headerBytes.toString('utf8'));
    } catch {
      throw damaged('its header is not JSON');
    }
    const tensors = new Map<string, StoredTensor>();
    for (const [name, entry] of Object.entries(header)) {
      const width = BYTES_PER_VALUE[entry.dtype];
      if (name === '__metadata__' || !width) continue;
      const [start, end] = entry.data_offsets;
      const count = entry.shape.reduce((a, b) => a * b, 1);
      if (end - start !== count * width)
        throw damaged(`tensor ${name} has ${end - start} bytes for shape [${entry.shape}]`);
      if (8 + headerLength + end > size) throw damaged(`tensor ${name} lies beyond its end`);
      const bytes = new Uint8Array(end - start);
      fs.readSync(descriptor, bytes, 0, bytes.length, 8 + headerLength + start);
      const data =
        entry.dtype === 'F32'
          ? new Float32Array(bytes.buffer)
          : (entry.dtype === 'F16' ? fromFloat16 : fromBfloat16)(new Uint16Array(bytes.buffer));
      tensors.set(name, { shape: entry.shape, data });
    }
    return tensors;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Writes tensors as 32-bit floats, in the map's order; the file appears whole or not at all. */
export function writeSafetensors(file: string, tensors: Map<string, StoredTensor>): void {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The numbers start at a multiple of 8 bytes: the header is filled up with spaces, as the format allows.
  const headerBytes = Buffer.concat([json, Buffer.alloc(-json.length & 7, ' ')]);
  const lengthBytes = Buffer.alloc(8);
  lengthBytes.writeBigUInt64LE(BigInt(headerBytes.length));
  const numbers = [...tensors.values()].map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  writeWhole(file, [lengthBytes, headerBytes, ...numbers], true);
}
