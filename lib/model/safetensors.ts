// In: a safetensors file, or tensors by name. Out: the other. It holds an 8-byte header length, a JSON header, then the
// raw little-endian numbers: https://github.com/huggingface/safetensors#format
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { writeWhole } from '../common/files';
import { release } from '../common/matrix';

/** A weight as stored: its shape and its values, row-major. */
export interface StoredTensor {
  shape: number[];
  readonly data: Float32Array;
  /** Where the values are not in memory: reads or makes them, as `data` does whenever it is asked for. */
  read?(): Float32Array;
}

/** A weight of which some rows, along the first axis, can be read alone. */
export interface StoredTable extends StoredTensor {
  rows(places: Int32Array): Float32Array;
}

/** A tensor whose values are not in memory until they are asked for. */
export const storedTensor = (shape: number[], read: () => Float32Array): StoredTensor => ({
  shape,
  get data() {
    return read();
  },
  read,
});

const rowNumbers = (first: number, length: number): Int32Array => Int32Array.from({ length }, (_, i) => first + i);

/** The same of a table, by what reads or makes some of its rows. */
export const storedTable = (shape: number[], rows: StoredTable['rows']): StoredTable =>
  Object.assign(
    storedTensor(shape, () => rows(rowNumbers(0, shape[0] ?? 1))),
    { rows },
  );

const ROWS_AT_A_TIME = 4096;

/** Values, until the next are asked for: then they are freed. */
export function* untilNext(values: Float32Array): Generator<Float32Array> {
  yield values;
  release(values);
}

/** What `use` makes of a tensor's values. */
export function withValues<T>(tensor: StoredTensor, use: (values: Float32Array) => T): T {
  const values = tensor.data;
  const made = use(values);
  if (tensor.read) release(values);
  return made;
}

/** A tensor's values in their order, of a table some thousand rows at a time; each block until the next. */
export function* blocksOf(tensor: StoredTensor | StoredTable): Generator<Float32Array> {
  if (!tensor.read) yield tensor.data;
  else if (!('rows' in tensor)) yield* untilNext(tensor.read());
  else {
    const [rows = 1] = tensor.shape;
    for (let first = 0; first < rows; first += ROWS_AT_A_TIME)
      yield* untilNext(tensor.rows(rowNumbers(first, Math.min(ROWS_AT_A_TIME, rows - first))));
  }
}

/** How many numbers a tensor holds. */
export const sizeOf = ({ shape }: StoredTensor): number => shape.reduce((size, length) => size * length, 1);

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const MAX_HEADER_BYTES = 100_000_000;

/** bfloat16 is the upper half of a float32. */
function fromBfloat16(bits: Uint16Array): Float32Array {
  const widened = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) widened[i] = bits[i] << 16;
  return new Float32Array(widened.buffer);
}

const VALUES: Record<string, (bytes: ArrayBuffer) => Float32Array> = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => new Float32Array(new Float16Array(bytes)),
  BF16: (bytes) => fromBfloat16(new Uint16Array(bytes)),
};

const damaged = (file: string, what: string): Error =>
  new Error(`${file} is not a complete safetensors file (${what}); download or copy it again.`);

/** What a file is known by: another one, or other contents, in its place is not read for it. */
const identity = ({ ino, size, mtimeMs }: fs.Stats): string => `${ino} ${size} ${mtimeMs}`;

/** Some of a file's bytes, one place after the other, in a buffer of their own. */
function readBytes(file: string, places: [position: number, length: number][], expected?: string): Buffer {
  const changed = () => new Error(`${file} is no longer what the model was loaded from: load the model again.`);
  if (expected && !fs.existsSync(file)) throw changed();
  const descriptor = fs.openSync(file, 'r');
  try {
    if (expected && identity(fs.fstatSync(descriptor)) !== expected) throw changed();
    const bytes = Buffer.from(new ArrayBuffer(places.reduce((sum, [, length]) => sum + length, 0)));
    let end = 0;
    for (const [position, length] of places) {
      if (fs.readSync(descriptor, bytes, end, length, position) < length) throw damaged(file, 'it ends early');
      end += length;
    }
    return bytes;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Where rows lie that take so many bytes each, the first at `start`: neighbours in one piece. */
function placesOf(rows: Int32Array, start: number, width: number): [position: number, length: number][] {
  const places: [number, number][] = [];
  rows.forEach((row, i) => {
    if (i > 0 && row === rows[i - 1] + 1) places[places.length - 1][1] += width;
    else places.push([start + row * width, width]);
  });
  return places;
}

/**
 * Finds every tensor of 32-bit, half or bfloat16 floats in a safetensors file. Its values are read from there, as
 * 32-bit floats, each time they are asked for, unless another file has taken its place. Others, such as a stored
 * `position_ids`, are passed over.
 *
 * @throws Error naming the file (and tensor) if the file is not as the format asks: a header of JSON, no name twice,
 *   each tensor of the size that its type and shape give, one after the other to the file's end
 */
export function readSafetensors(file: string): Map<string, StoredTable> {
  const stats = fs.statSync(file);
  const { size } = stats;
  const headerLength = Number(readBytes(file, [[0, 8]]).readBigUInt64LE());
  const start = 8 + headerLength;
  if (headerLength > MAX_HEADER_BYTES || start > size) throw damaged(file, 'bad header length');
  const header = readBytes(file, [[8, headerLength]]).toString();
  const tensors = new Map<string, StoredTable>();
  try {
    for (const [name, { dtype, shape, data_offsets }] of parseHeader(header, size - start)) {
      if (!VALUES[dtype]) continue;
      const [from, to] = data_offsets;
      const rows = (numbers: Int32Array) => {
        const places = placesOf(numbers, start + from, (to - from) / (shape[0] ?? 1));
        return VALUES[dtype](readBytes(file, places, identity(stats)).buffer as ArrayBuffer);
      };
      tensors.set(name, storedTable(shape, rows));
    }
  } catch (error) {
    const isHeader = error instanceof SyntaxError || error instanceof TypeError;
    throw damaged(file, isHeader ? 'its header does not describe tensors' : (error as Error).message);
  }
  return tensors;
}

/** A header's entries in the order of their bytes. Throws an Error unless these follow one another to the end. */
function parseHeader(text: string, bytes: number): [name: string, entry: HeaderEntry][] {
  const entries = Object.entries(JSON.parse(text) as Record<string, HeaderEntry>)
    .filter(([name]) => name !== '__metadata__')
    .sort(([, { data_offsets: a }], [, { data_offsets: b }]) => a[1] - b[1] || a[0] - b[0]);
  // Of two entries of one name, JSON.parse keeps the last.
  const places = text.match(/"data_offsets"\s*:\s*\[/g) ?? [];
  if (places.length !== entries.length) throw new Error('a name appears twice, or without a place');
  let position = 0;
  for (const [name, { dtype, shape, data_offsets }] of entries) {
    const [start, end] = data_offsets;
    if (start !== position) throw new Error(`tensor ${name} starts at ${start}, the one before ends at ${position}`);
    const width = dtype === 'BOOL' ? 1 : Number(/\d+/.exec(dtype)) / 8;
    if (end - start !== shape.reduce((a, b) => a * b, width) || !shape.every(Number.isInteger)) {
      throw new Error(`tensor ${name} has ${end - start} bytes for shape [${shape}] of ${dtype}`);
    }
    position = end;
  }
  if (position !== bytes) throw new Error(`its tensors take ${position} bytes, and ${bytes} are there`);
  return entries;
}

/**
 * Writes tensors as 32-bit floats, in the map's order; the file appears whole or not at all.
 * @returns SHA-256 of its bytes, in hex
 */
export function writeSafetensors(file: string, tensors: Map<string, StoredTensor>): string {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, tensor] of tensors) {
    const end = offset + 4 * sizeOf(tensor);
    header[name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  // The numbers start at a multiple of 8 bytes: the header is filled up with spaces, as the format allows.
  const headerBytes = Buffer.concat([json, Buffer.alloc(-json.length & 7, ' ')]);
  const lengthBytes = Buffer.alloc(8);
  lengthBytes.writeBigUInt64LE(BigInt(headerBytes.length));
  const hash = createHash('sha256');
  const hashed = (part: Uint8Array) => {
    hash.update(part);
    return part;
  };
  function* parts(): Generator<Uint8Array> {
    for (const part of [lengthBytes, headerBytes]) yield hashed(part);
    for (const tensor of tensors.values())
      for (const { buffer, byteOffset, byteLength } of blocksOf(tensor))
        yield hashed(new Uint8Array(buffer, byteOffset, byteLength));
  }
  writeWhole(file, parts(), true);
  return hash.digest('hex');
}
