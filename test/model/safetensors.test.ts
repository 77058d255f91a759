import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors, type StoredTensor, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TINY, temporaryFolder } from '../fixtures/engine';

/** A safetensors file written byte by byte. */
function writeRaw(header: object | string, body: Uint8Array): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = path.join(temporaryFolder(), 'raw.safetensors');
  fs.writeFileSync(file, Buffer.concat([length, json, body]));
  return file;
}

describe('safetensors', () => {
  it('reads a file written by the Python library', () => {
    const tensors = readSafetensors(path.join(TINY, 'model.safetensors'));
    expect(tensors.size).toBe(37);
    expect(tensors.get('embeddings.word_embeddings.weight')!.shape).toEqual([120, 32]);
    // numpy.random.default_rng(7).standard_normal() · 0.5
    expect(tensors.get('embeddings.word_embeddings.weight')!.data[0]).toBeCloseTo(0.0006150762, 9);
  });

  it('reads back what it wrote: shapes, order, values to the bit', () => {
    const written = new Map<string, StoredTensor>([
      ['b', { shape: [2, 3], data: Float32Array.from([1, -0, 1e-45, 3.4e38, Number.NaN, Number.NEGATIVE_INFINITY]) }],
      ['ä "quoted"', { shape: [], data: Float32Array.from([0.1]) }],
      ['empty', { shape: [0, 4], data: new Float32Array(0) }],
      // A view into a larger buffer: only its own numbers are to be written.
      ['view', { shape: [2], data: new Float32Array([9, 8, 7, 6]).subarray(1, 3) }],
    ]);
    const file = path.join(temporaryFolder(), 'x.safetensors');
    writeSafetensors(file, written);
    const read = readSafetensors(file);
    expect([...read.keys()]).toEqual([...written.keys()]);
    for (const [name, { shape, data }] of written) {
      expect(read.get(name)!.shape).toEqual(shape);
      expect(Buffer.from(read.get(name)!.data.buffer)).toEqual(
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      );
    }
  });

  it('starts the numbers at a multiple of 8 bytes and leaves no temporary file', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    for (const name of ['a', 'ab', 'äöü']) {
      writeSafetensors(file, new Map([[name, { shape: [1], data: new Float32Array(1) }]]));
      expect(Number(fs.readFileSync(file).readBigUInt64LE()) % 8).toBe(0);
    }
    expect(fs.readdirSync(folder)).toEqual(['x.safetensors']);
  });

  it('leaves an earlier file alone, and nothing behind, when the disk fails', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    fs.writeFileSync(file, 'earlier');
    const spy = vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw new Error('no space left');
    });
    onTestFinished(() => spy.mockRestore());
    expect(() => writeSafetensors(file, new Map([['a', { shape: [1], data: new Float32Array(1) }]]))).toThrow(
      'no space',
    );
    expect(fs.readdirSync(folder)).toEqual(['x.safetensors']);
    expect(fs.readFileSync(file, 'utf8')).toBe('earlier');
  });

  it('widens half precision and bfloat16, and passes over integers', () => {
    const half = new Uint16Array([0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x3555]);
    const brain = new Uint16Array([0x3f80, 0xc049]);
    const integers = new BigInt64Array([5n]);
    const body = Buffer.concat([half, brain, integers].map((a) => Buffer.from(a.buffer)));
    const file = writeRaw(
      {
        half: { dtype: 'F16', shape: [8], data_offsets: [0, 16] },
        brain: { dtype: 'BF16', shape: [2], data_offsets: [16, 20] },
        position_ids: { dtype: 'I64', shape: [1], data_offsets: [20, 28] },
      },
      body,
    );
    const tensors = readSafetensors(file);
    expect([...tensors.keys()]).toEqual(['half', 'brain']);
    expect([...tensors.get('half')!.data]).toEqual([
      1,
      -2,
      2 ** -24,
      1023 * 2 ** -24,
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1365 / 4096,
    ]);
    expect([...tensors.get('brain')!.data]).toEqual([1, -3.140625]);
  });

  it('reads rows alone, in any order and type', () => {
    const table = readSafetensors(path.join(TINY, 'model.safetensors')).get('embeddings.word_embeddings.weight')!;
    const row = (of: Float32Array, i: number) => [...of.subarray(32 * i, 32 * (i + 1))];
    const asked = [7, 3, 4, 5, 119, 3, 0];
    const rows = table.rows(Int32Array.from(asked));
    expect(rows.length).toBe(32 * asked.length);
    asked.forEach((place, i) => {
      expect(row(rows, i)).toEqual(row(table.data, place));
    });
    expect(table.rows(new Int32Array()).length).toBe(0);
    const brain = new Uint16Array([0x3f80, 0xc049, 0x4000, 0x4040]);
    const file = writeRaw({ brain: { dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8] } }, Buffer.from(brain.buffer));
    expect([...readSafetensors(file).get('brain')!.rows(Int32Array.of(1, 0))]).toEqual([2, 3, 1, -3.140625]);
  });

  it('reads nothing from another file that took its place', () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'x.safetensors');
    const write = (value: number) =>
      writeSafetensors(file, new Map([['a', { shape: [1], data: Float32Array.of(value) }]]));
    write(1);
    const tensor = readSafetensors(file).get('a')!;
    expect([...tensor.data]).toEqual([1]);
    write(2);
    expect(() => tensor.data).toThrow(/x\.safetensors is no longer what .*load the model again/);
    expect(() => tensor.rows(Int32Array.of(0))).toThrow(/load the model again/);
    fs.rmSync(file);
    expect(() => tensor.data).toThrow(/x\.safetensors is no longer what .*load the model again/);
  });

  it('says which file is damaged, and how', () => {
    const whole = fs.readFileSync(path.join(TINY, 'model.safetensors'));
    const folder = temporaryFolder();
    const cut = (length: number) => {
      const file = path.join(folder, `cut-${length}.safetensors`);
      fs.writeFileSync(file, whole.subarray(0, length));
      return file;
    };
    expect(() => readSafetensors(cut(0))).toThrow(/cut-0\.safetensors is not a complete.*ends early.*again/);
    expect(() => readSafetensors(cut(100))).toThrow(/bad header length/);
    expect(() => readSafetensors(cut(whole.length - 1))).toThrow(/its tensors take \d+ bytes, and \d+ are there/);
    expect(() => readSafetensors(path.join(folder, 'absent.safetensors'))).toThrow(/absent\.safetensors/);
  });

  const entry = (start: number, end: number, shape: unknown = [(end - start) / 4], dtype = 'F32') =>
    JSON.stringify({ dtype, shape, data_offsets: [start, end] });

  it.each([
    ['half a header', '{"a": ', /does not describe tensors/],
    ['a header that is a list', '[1]', /without a place/],
    ['an entry without a place', '{"a": {"dtype": "F32", "shape": [2]}}', /without a place/],
    ['an entry without a shape', '{"a": {"data_offsets": [0, 8]}}', /does not describe tensors/],
    ['another size than its shape', `{"a": ${entry(0, 8, [2, 2])}}`, /tensor a has 8 bytes for shape \[2,2\] of F32/],
    ['an unknown type', `{"a": ${entry(0, 8, [2], 'X')}}`, /tensor a has 8 bytes for shape \[2\] of X/],
    ['a place before the numbers', `{"a": ${entry(-8, 0, [2])}, "b": ${entry(0, 8)}}`, /tensor a starts at -8/],
    ['a place beyond the end', `{"a": ${entry(0, 12)}}`, /its tensors take 12 bytes, and 8 are there/],
    [
      'two in one place',
      `{"a": ${entry(0, 8)}, "b": ${entry(4, 8)}}`,
      /tensor b starts at 4, the one before ends at 8/,
    ],
    ['a hole', `{"a": ${entry(4, 8)}}`, /tensor a starts at 4, the one before ends at 0/],
    ['bytes of no tensor', `{"a": ${entry(0, 4)}}`, /its tensors take 4 bytes, and 8 are there/],
    ['a name twice', `{"a": ${entry(0, 8)}, "a": ${entry(0, 8, [4], 'F16')}}`, /a name appears twice/],
  ])('refuses what the format forbids: %s', (_, header, message) => {
    expect(() => readSafetensors(writeRaw(header, new Uint8Array(8)))).toThrow(message);
    expect(() => readSafetensors(writeRaw(header, new Uint8Array(8)))).toThrow(/raw\.safetensors is not a complete/);
  });

  it('takes tensors in another order than their bytes, and empty ones', () => {
    const header = `{"late": ${entry(4, 8)}, "none": ${entry(4, 4, [0])}, "early": ${entry(0, 4)}}`;
    const file = writeRaw(header, new Uint8Array(Float32Array.of(1, 2).buffer));
    const values = Object.fromEntries([...readSafetensors(file)].map(([name, { data }]) => [name, [...data]]));
    expect(values).toEqual({ early: [1], none: [], late: [2] });
  });
});
