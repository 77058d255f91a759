// The GGUF file, read by its specification. What llama.cpp makes of one: npm run interop.
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { writeGguf } from 'finetune-embedding/extras';
import { describe, expect, it } from 'vitest';
import { TINY, temporaryFolder, tensorsIn } from '../fixtures/engine';

interface Tensor {
  type: number;
  sizes: number[];
  bytes: Buffer;
}

/** Metadata and tensors of a GGUF file (version 3): https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
function readGguf(file: string) {
  const data = fs.readFileSync(file);
  let at = 4;
  /** Where the next so many bytes begin. */
  const skip = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  const uint32 = () => data.readUInt32LE(skip(4));
  const uint64 = () => Number(data.readBigUInt64LE(skip(8)));
  const text = (length = uint64()) => data.toString('utf8', skip(length), at);
  const list = (type = uint32(), length = uint64()): unknown[] => Array.from({ length }, () => value(type));
  const readers: Record<number, () => unknown> = {
    4: uint32,
    5: () => data.readInt32LE(skip(4)),
    6: () => data.readFloatLE(skip(4)),
    7: () => data[skip(1)] === 1,
    8: text,
    9: list,
  };
  const value = (type: number) => readers[type]();
  expect([data.toString('latin1', 0, 4), uint32()]).toEqual(['GGUF', 3]);
  const [tensorCount, entryCount] = [uint64(), uint64()];
  const metadata: Record<string, unknown> = Object.fromEntries(
    Array.from({ length: entryCount }, () => [text(), value(uint32())]),
  );
  const infos = Array.from({ length: tensorCount }, () => {
    const [name, rank] = [text(), uint32()];
    return { name, sizes: Array.from({ length: rank }, uint64), type: uint32(), offset: uint64() };
  });
  const start = Math.ceil(at / 32) * 32;
  const tensors = infos.map(({ name, sizes, type, offset }): [string, Tensor] => {
    expect(offset % 32).toBe(0);
    const length = sizes.reduce((a, b) => a * b) * [4, 2][type];
    return [name, { type, sizes, bytes: data.subarray(start + offset, start + offset + length) }];
  });
  return { metadata, tensors: new Map(tensors) };
}

/** A copy of the tiny model whose vocabulary's vectors begin with these numbers. */
function modelWith(numbers: number[]): string {
  const folder = path.join(temporaryFolder(), 'my-model');
  fs.cpSync(TINY, folder, { recursive: true });
  const weights = tensorsIn(path.join(TINY, 'model.safetensors'));
  const [name, { shape, data }] = [...weights].find(([one]) => one.endsWith('word_embeddings.weight'))!;
  data.set(numbers);
  weights.set(name, { shape, data });
  writeSafetensors(path.join(folder, 'model.safetensors'), weights);
  return folder;
}

async function exported(folder: string, bits: 16 | 32) {
  const file = path.join(temporaryFolder(), 'model.gguf');
  await writeGguf(folder, file, bits);
  return readGguf(file);
}

describe('writeGguf', () => {
  it('describes the model and its tokenizer as llama.cpp reads them', async () => {
    const folder = modelWith([]);
    fs.writeFileSync(path.join(folder, 'README.md'), '---\nlibrary_name: x\nlicense: apache-2.0\n---\nlicense: none\n');
    const prompts = { query: 'query: ', document: 'passage: ' };
    fs.writeFileSync(path.join(folder, 'config_sentence_transformers.json'), JSON.stringify({ prompts }));
    const { metadata } = await exported(folder, 16);
    const {
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': types,
      ...rest
    } = metadata as {
      'tokenizer.ggml.tokens': string[];
      'tokenizer.ggml.token_type': number[];
    };
    // As convert_hf_to_gguf.py of llama.cpp 0.4.0 says it, but for name, licence, prompts, and what a BERT has no use for.
    expect(rest).toEqual({
      'general.architecture': 'bert',
      'general.name': 'my-model',
      'general.license': 'apache-2.0',
      'prompt.query': 'query: ',
      'prompt.document': 'passage: ',
      'general.file_type': 1,
      'bert.block_count': 2,
      'bert.context_length': 64,
      'bert.embedding_length': 32,
      'bert.feed_forward_length': 64,
      'bert.attention.head_count': 4,
      'bert.attention.layer_norm_epsilon': Math.fround(1e-12),
      'bert.attention.causal': false,
      'bert.pooling_type': 1,
      'tokenizer.ggml.token_type_count': 2,
      'tokenizer.ggml.model': 'bert',
      'tokenizer.ggml.pre': 'default',
      'tokenizer.ggml.bos_token_id': 2,
      'tokenizer.ggml.eos_token_id': 3,
      'tokenizer.ggml.seperator_token_id': 3,
      'tokenizer.ggml.unknown_token_id': 1,
      'tokenizer.ggml.padding_token_id': 0,
      'tokenizer.ggml.mask_token_id': 4,
      'tokenizer.ggml.normalizer.lowercase': true,
    });
    const { vocab } = JSON.parse(fs.readFileSync(path.join(TINY, 'tokenizer.json'), 'utf8')).model;
    expect(tokens).toHaveLength(120);
    for (const [piece, id] of Object.entries<number>(vocab)) {
      const isSpecial = /^\[[A-Z]+\]$/.test(piece);
      const expected = isSpecial ? piece : piece.startsWith('##') ? piece.slice(2) : `\u2581${piece}`;
      expect([tokens[id], types[id]]).toEqual([expected, isSpecial ? 3 : 1]);
    }
  });

  it('holds every weight, with 32 bits as it is', async () => {
    const { tensors } = await exported(TINY, 32);
    const stored = readSafetensors(path.join(TINY, 'model.safetensors'));
    const llama: Record<string, string> = {
      'embeddings.word_embeddings.weight': 'token_embd.weight',
      'embeddings.position_embeddings.weight': 'position_embd.weight',
      'embeddings.token_type_embeddings.weight': 'token_types.weight',
      'embeddings.LayerNorm.bias': 'token_embd_norm.bias',
      'encoder.layer.1.attention.self.query.weight': 'blk.1.attn_q.weight',
      'encoder.layer.0.attention.self.key.bias': 'blk.0.attn_k.bias',
      'encoder.layer.0.attention.self.value.weight': 'blk.0.attn_v.weight',
      'encoder.layer.0.attention.output.dense.weight': 'blk.0.attn_output.weight',
      'encoder.layer.0.attention.output.LayerNorm.weight': 'blk.0.attn_output_norm.weight',
      'encoder.layer.0.intermediate.dense.weight': 'blk.0.ffn_up.weight',
      'encoder.layer.1.output.dense.weight': 'blk.1.ffn_down.weight',
      'encoder.layer.1.output.LayerNorm.bias': 'blk.1.layer_output_norm.bias',
    };
    for (const [name, inLlama] of Object.entries(llama)) {
      const { shape, data } = stored.get(name) ?? stored.get(`bert.${name}`)!;
      const { type, sizes, bytes } = tensors.get(inLlama)!;
      expect([type, sizes]).toEqual([0, [...shape].reverse()]);
      expect(bytes.equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength))).toBe(true);
    }
    expect(tensors.size).toBe(5 + 2 * 16);
  });

  it('rounds matrices to the nearest of 16 bits, and leaves the rest', async () => {
    const cases: [value: number, bits: number][] = [
      [0, 0],
      [1, 0x3c00],
      [-2, 0xc000],
      [65504, 0x7bff],
      [0.333251953125, 0x3555],
      [1 + 2 ** -11, 0x3c00], // half-way: the even one
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2 - 2 ** -11, 0x4000], // carries into the exponent
      [65519, 0x7bff],
      [2 ** -14, 0x400],
      [2 ** -14 - 2 ** -26, 0x400],
      [2 ** -14 - 2 ** -24, 0x3ff], // from here on without a leading one
      [-(2 ** -24), 0x8001],
      [2 ** -25, 0],
      [2 ** -25 + 2 ** -35, 1],
      [3 * 2 ** -25, 2],
      [1e-30, 0],
    ];
    const { tensors } = await exported(modelWith(cases.map(([value]) => value)), 16);
    const { type, bytes } = tensors.get('token_embd.weight')!;
    expect(type).toBe(1);
    expect(cases.map(([value], i) => [value, bytes.readUInt16LE(2 * i)])).toEqual(cases);
    const others = [...tensors].filter(([, tensor]) => tensor.type === 0).map(([name]) => name);
    expect(others.filter((name) => name.endsWith('.weight') && !name.includes('norm'))).toEqual([
      'position_embd.weight',
      'token_types.weight',
    ]);
  });

  it('refuses what llama.cpp could not read, and leaves no file', async () => {
    const file = path.join(temporaryFolder(), 'model.gguf');
    await expect(writeGguf(modelWith([65520]), file)).rejects.toThrow(
      /word_embeddings.* holds 65520, too large for 16/,
    );
    const folder = modelWith([]);
    const tokenizer = path.join(folder, 'tokenizer.json');
    const content = JSON.parse(fs.readFileSync(tokenizer, 'utf8'));
    content.model.type = 'BPE';
    fs.writeFileSync(tokenizer, JSON.stringify(content));
    await expect(writeGguf(folder, file)).rejects.toThrow(/tokenizer.json: model.type is "BPE", not WordPiece/);
    await expect(writeGguf(path.join(folder, 'none'), file)).rejects.toThrow(/neither a model folder/);
    expect(fs.readdirSync(path.dirname(file))).toEqual([]);
  });
});
