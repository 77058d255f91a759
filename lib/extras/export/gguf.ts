// In: a model folder. Out: the model as one GGUF file, which llama.cpp and what is built on it load. The format:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; BERT's keys: gguf-py/gguf/constants.py of llama.cpp.
import path from 'node:path';
import { writeWhole } from '../../common/files';
import { selectWeights } from '../../model/bert/weight-names';
import { readEncoderConfig, readPoolingConfig } from '../../model/config';
import { weightFiles } from '../../model/hub/model-folder';
import { resolveModel } from '../../model/hub/resolve';
import { licenseOf, nameOf } from '../../model/model-card';
import { ModelJson } from '../../model/model-json';
import { readPrompts } from '../../model/prompts';
import { readSafetensors, type StoredTensor, sizeOf } from '../../model/safetensors';

const VERSION = 3;
const ALIGNMENT = 32;
const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** llama.cpp's names for a BERT's weights. */
const RENAMED = {
  'embeddings.word_embeddings': 'token_embd',
  'embeddings.position_embeddings': 'position_embd',
  'embeddings.token_type_embeddings': 'token_types',
  'embeddings.LayerNorm': 'token_embd_norm',
  'encoder.layer': 'blk',
  'attention.self.query': 'attn_q',
  'attention.self.key': 'attn_k',
  'attention.self.value': 'attn_v',
  'attention.output.dense': 'attn_output',
  'attention.output.LayerNorm': 'attn_output_norm',
  'intermediate.dense': 'ffn_up',
  'output.dense': 'ffn_down',
  'output.LayerNorm': 'layer_output_norm',
};

/** A value of the metadata. Numbers are whole (uint32) unless said to be floats; those of a list are int32. */
type Value = string | boolean | number | { float: number } | string[] | Int32Array;
type Metadata = Record<string, Value>;

const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const uint64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => Buffer.concat([uint64(Buffer.byteLength(value)), Buffer.from(value)]);

/** A value after the number of its type. */
function typed(value: Value): Buffer {
  if (typeof value === 'number') return Buffer.concat([uint32(4), uint32(value)]);
  if (typeof value === 'boolean') return Buffer.concat([uint32(7), Buffer.of(Number(value))]);
  if (typeof value === 'string') return Buffer.concat([uint32(8), text(value)]);
  if ('float' in value) return Buffer.concat([uint32(6), Buffer.from(Float32Array.of(value.float).buffer)]);
  const [type, items] = Array.isArray(value) ? [8, value.map(text)] : [5, [Buffer.from(value.buffer)]];
  return Buffer.concat([uint32(9), uint32(type), uint64(value.length), ...items]);
}

/** The nearest 16-bit floats; of two as near, the even one (IEEE 754). */
function halves(data: Float32Array, name: string): Float16Array {
  const result = new Float16Array(data);
  const at = result.findIndex((half) => !Number.isFinite(half));
  if (at >= 0) throw new RangeError(`Weight "${name}" holds ${data[at]}, too large for 16 bits: take 32.`);
  return result;
}

/** llama.cpp's words for special tokens, one misspelt, and tokenizer_config.json's. */
const SPECIAL = { bos: 'cls', eos: 'sep', seperator: 'sep', unknown: 'unk', padding: 'pad', mask: 'mask' };
const TOKEN_TYPES = { normal: 1, control: 3, unused: 5 };

/** The word pieces, as many as the model has rows for, and how texts are made ready for them. */
function tokenizerOf(folder: string, size: number): Metadata {
  const json = new ModelJson(folder, 'tokenizer.json');
  const config = new ModelJson(folder, 'tokenizer_config.json', true);
  json.expect('model.type', (type) => type === 'WordPiece', 'WordPiece, which alone is exported');
  const vocab = json.expect<Record<string, number>>('model.vocab', (value) => value instanceof Object, 'a vocabulary');
  // A piece that begins a word stands after "▁" there, one that goes on is bare, and special tokens are as they are.
  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(size).fill(TOKEN_TYPES.unused);
  for (const [piece, id] of Object.entries(vocab)) {
    tokens[id] = piece.startsWith('##') ? piece.slice(2) : `▁${piece}`;
    types[id] = TOKEN_TYPES.normal;
  }
  const added = json.expect<{ content: string; id: number }[]>('added_tokens', Array.isArray, 'a list');
  for (const { content, id } of added) {
    tokens[id] = content;
    types[id] = TOKEN_TYPES.control;
  }
  const values: Metadata = { model: 'bert', pre: 'default', tokens, token_type: types };
  for (const [name, short] of Object.entries(SPECIAL)) {
    const said = config.at(`${short}_token.content`) ?? config.at(`${short}_token`);
    const id = tokens.indexOf(String(said ?? `[${short.toUpperCase()}]`));
    if (id >= 0) values[`${name}_token_id`] = id;
  }
  for (const name of ['lowercase', 'strip_accents']) {
    const value = json.at(`normalizer.${name}`);
    if (typeof value === 'boolean') values[`normalizer.${name}`] = value;
  }
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
}

/** What the model is called, its card's licence, and its prompts, for which GGUF has no keys of its own. */
function about(folder: string): Metadata {
  const license = licenseOf(folder);
  return {
    'general.name': nameOf(folder),
    ...(license && { 'general.license': license }),
    ...Object.fromEntries(Object.entries(readPrompts(folder)).map(([name, prompt]) => [`prompt.${name}`, prompt])),
  };
}

/**
 * Writes a model in a folder as GGUF.
 *
 * llama.cpp then embeds as sentence-transformers does, except that a text longer than the model reads is an error,
 * that it may take a special token's name (`[SEP]`) in a text for text, and that whether vectors have length 1 is the
 * server's affair. Prompts are in the metadata (`prompt.query`) for people: no server adds them.
 *
 * @param folder as sentence-transformers lays it out, of a BERT with a WordPiece tokenizer
 * @param file where to write; appears whole or not at all
 * @param bits of the numbers in weight matrices; all others have 32, as llama.cpp asks for
 * @throws Error if there is no such model in the folder, or a weight does not fit into 16 bits
 */
export async function writeGguf(folder: string, file: string, bits: 16 | 32 = 16): Promise<void> {
  await resolveModel(path.resolve(folder));
  new ModelJson(folder, 'config.json').expect('model_type', (type) => type === 'bert', 'bert, which alone is exported');
  const config = readEncoderConfig(folder);
  const sources = weightFiles(folder).map((name) => path.join(folder, name));
  const stored = new Map(sources.flatMap((source) => [...readSafetensors(source)]));
  const metadata: Metadata = {
    'general.architecture': 'bert',
    ...about(folder),
    'general.file_type': bits === 16 ? 1 : 0,
    'bert.block_count': config.layers,
    'bert.context_length': config.maxPositions,
    'bert.embedding_length': config.hiddenSize,
    'bert.feed_forward_length': config.intermediateSize,
    'bert.attention.head_count': config.heads,
    'bert.attention.layer_norm_epsilon': { float: config.layerNormEps },
    'bert.attention.causal': false,
    'bert.pooling_type': readPoolingConfig(folder).mode === 'cls' ? 2 : 1,
    'tokenizer.ggml.token_type_count': config.typeVocabSize,
    ...tokenizerOf(folder, config.vocabSize),
  };
  writeWhole(file, parts(metadata, selectWeights(stored, config, sources.join(', ')), bits), true);
}

/** The file, part by part: what it is and what is in it, where each tensor lies, then their numbers. */
function* parts(metadata: Metadata, weights: Map<string, StoredTensor>, bits: 16 | 32): Generator<Uint8Array> {
  const entries = Object.entries(metadata).flatMap(([key, value]) => [text(key), typed(value)]);
  const header = [Buffer.from('GGUF'), uint32(VERSION), uint64(weights.size), uint64(entries.length / 2), ...entries];
  const isHalf = (name: string, { shape }: StoredTensor) =>
    bits === 16 && shape.length === 2 && !/position|token_type/.test(name);
  let offset = 0;
  for (const [name, tensor] of weights) {
    const ours = Object.entries(RENAMED).reduce((now, [from, to]) => now.replace(from, to), name);
    const half = isHalf(name, tensor);
    // A matrix's columns come first there, then its rows.
    header.push(text(ours), uint32(tensor.shape.length), ...[...tensor.shape].reverse().map(uint64));
    header.push(uint32(half ? 1 : 0), uint64(offset));
    offset += aligned(sizeOf(tensor) * (half ? 2 : 4));
  }
  yield* filledUp(Buffer.concat(header));
  for (const [name, tensor] of weights) yield* filledUp(isHalf(name, tensor) ? halves(tensor.data, name) : tensor.data);
}

const filledUp = ({ buffer, byteOffset, byteLength }: Uint8Array | Float16Array | Float32Array) => [
  new Uint8Array(buffer, byteOffset, byteLength),
  new Uint8Array(aligned(byteLength) - byteLength),
];
