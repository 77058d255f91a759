// In: config and weights of an encoder of BERT's kind. Out: the encoder (Devlin et al. 2019, arXiv 1810.04805) as an
// ONNX file, written part by part. Shapes: B sequences of S tokens, H hidden units in A heads of D = H / A.
import path from 'node:path';
import { writeWhole } from '../../common/files';
import { ARCHITECTURES, checkpointName } from '../architectures';
import { distanceBucket } from '../bert/distance-bucket';
import { RELATIVE_BIAS, splitQueryKeyValue, weightShapes } from '../bert/weight-names';
import type { EncoderConfig } from '../config';
import type { StoredTensor } from '../safetensors';
import { Graph } from './graph';
import { byteLength, ELEMENT_TYPES, LARGEST_FILE, type Message, valueInfo } from './messages';
import { type RotaryOperators, rotaryOperators } from './rotary-graph';

/** Weights as 32-bit floats; or those of linear layers and the table of words in 8 bits, for a quarter of the size. */
export type OnnxDtype = 'fp32' | 'int8';

/** The names by which transformers.js takes a file for its setting `dtype`. */
const NAMES: Record<OnnxDtype, string> = { fp32: 'model.onnx', int8: 'model_int8.onnx' };

/** Where a model folder holds its encoder as ONNX. */
export const onnxFile = (folder: string, dtype: OnnxDtype): string => path.join(folder, 'onnx', NAMES[dtype]);

/** A linear layer's largest whole number: processors without VNNI add products up in 16 bits, which 127 overflows. */
const REDUCED_RANGE = 64;

/** As in PyTorch: the lowest float added to a masked score, which leaves exp(score) = 0. */
const LOWEST_FLOAT = -3.4028234663852886e38;

/**
 * Writes an encoder as ONNX (operator set 17): inputs `input_ids`, `attention_mask` and, of a model with several token
 * types, `token_type_ids`, int64 [batch, sequence]; output `last_hidden_state`, float [batch, sequence, hidden]. It is
 * what transformers.js and onnxruntime load; pooling is left to them.
 *
 * `int8` is dynamic quantization with whole numbers from -64 to 64 and a step for each of a layer's outputs, as
 * onnxruntime's `quantize_dynamic` has it with `QInt8`, `per_channel` and `reduce_range`
 * (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). What comes into a layer is put in 8
 * bits with one step for the whole batch, padding included: a text's vector depends a little on what it is read with.
 *
 * The file appears whole or not at all: where it would exceed protobuf's 2 GB, as a large model's in 32 bits, none is
 * written. Beyond the weights themselves, memory holds a few of them at a time.
 *
 * @param model `config` as in `model.encoder`; `weights` are PyTorch's, by their names in the checkpoint, a
 *   linear layer's as [out, in], all of the shapes that the config says, as loading has seen to
 * @param folder the model's: the file is {@link onnxFile}'s; missing folders are made
 */
export async function exportOnnx(
  model: { config: EncoderConfig; weights: ReadonlyMap<string, StoredTensor> },
  folder: string,
  dtype: OnnxDtype,
): Promise<void> {
  const message = encoderGraph(model.config, model.weights, dtype);
  if (byteLength(message) <= LARGEST_FILE) writeWhole(onnxFile(folder, dtype), bytesOf(message), true);
}

function* bytesOf(message: Message): Generator<Uint8Array> {
  for (const part of message) {
    if (part instanceof Uint8Array) yield part;
    else yield* part.bytes();
  }
}

function encoderGraph(config: EncoderConfig, weights: ReadonlyMap<string, StoredTensor>, dtype: OnnxDtype): Message {
  const { hiddenSize: H, heads: A, firstPosition, typeVocabSize } = config;
  const { isGated, isPreNorm, relativeBuckets } = ARCHITECTURES[config.modelType];
  const names = [...weightShapes(config).keys()]; // in BERT
  const own = splitQueryKeyValue(new Map(names.map((name) => [name, weights.get(checkpointName(config, name))!])));
  const graph = new Graph(own);
  const one = graph.scalar('one', 1);
  const oneHalf = graph.scalar('half', 0.5);
  const sqrt2 = graph.scalar('sqrt2', Math.SQRT2);
  const scale = graph.scalar('attention_scale', 1 / Math.sqrt(H / A));
  // In a Reshape, 0 keeps a size.
  const splitHeads = graph.integers('split_heads', [0, 0, A, H / A]);
  const joinHeads = graph.integers('join_heads', [0, 0, H]);

  // [B, S] of 1 (token) and 0 (padding) → [B, 1, 1, S] of 0 and the lowest float
  const toFloat = { to: { int: ELEMENT_TYPES.float32 } };
  const mask = graph.add('Cast', ['attention_mask'], toFloat);
  const maskPerHead = graph.add('Unsqueeze', [mask, graph.integers('head_and_query_axes', [1, 2])]);
  const lowest = graph.scalar('lowest_float', LOWEST_FLOAT);
  const hiding = (seen: string) => graph.add('Mul', [graph.add('Sub', [one, seen]), lowest]);
  const maskBias = hiding(maskPerHead);

  const floatProduct = (name: string, input: string): string =>
    graph.add('MatMul', [input, graph.transposedWeight(name)]);

  // Whole numbers of 8 bits, summed in 32: onnxruntime's dynamic quantization, as its own quantizer writes it
  const int8Product = (name: string, input: string): string => {
    const [whole, steps] = graph.int8Weight(name, REDUCED_RANGE, true);
    const [wholeInput, step, zero] = graph.int8Input(input);
    const sums = graph.add('Cast', [graph.add('MatMulInteger', [wholeInput, whole, zero])], toFloat);
    return graph.add('Mul', [sums, graph.add('Mul', [step, steps])]);
  };

  const product = dtype === 'int8' ? int8Product : floatProduct;
  const biasOf = (name: string) => (own.has(`${name}.bias`) ? [graph.weight(`${name}.bias`)] : []);
  const linear = (name: string, input: string): string => {
    const terms = [product(`${name}.weight`, input), ...biasOf(name)];
    return terms.length > 1 ? graph.add('Add', terms) : terms[0];
  };

  const layerNorm = (name: string, input: string, output?: string): string => {
    const parameters = [graph.weight(`${name}.weight`), ...biasOf(name)];
    const attributes = { axis: { int: -1 }, epsilon: { float: config.layerNormEps } };
    return graph.add('LayerNormalization', [input, ...parameters], attributes, output);
  };

  // The exact GELU, x Φ(x) = x (1 + erf(x / √2)) / 2 (Hendrycks & Gimpel 2016)
  const gelu = (x: string): string => {
    const erf = graph.add('Erf', [graph.add('Div', [x, sqrt2])]);
    return graph.add('Mul', [graph.add('Mul', [x, graph.add('Add', [erf, one])]), oneHalf]);
  };

  const halves = isGated ? [0, config.intermediateSize, 2 * config.intermediateSize] : [];
  const ends = halves.map((end) => graph.integers(`end_${end}`, [end]));
  const lastAxis = isGated ? graph.integers('last_axis', [-1]) : '';
  const half = (x: string, i: number) => graph.add('Slice', [x, ends[i], ends[i + 1], lastAxis]);
  // As it is, or by GeGLU, half of it gates the other (Shazeer 2020)
  const activation = (x: string): string => (isGated ? graph.add('Mul', [gelu(half(x, 0)), half(x, 1)]) : gelu(x));

  const length = graph.add('Shape', ['input_ids'], { start: { int: 1 }, end: { int: 2 } }); // [1]
  const distanceBias = relativeBuckets ? relativeBias(graph, config, length) : undefined; // [A, S, S]
  const rotary = config.rotary && rotaryOperators(graph, config.rotary, length, one);

  // softmax(Q Kᵀ / √D + mask) V, head by head (Vaswani et al. 2017, section 3.2)
  const attention = (name: string, hidden: string, { turn, near }: Partial<RotaryOperators> = {}): string => {
    const heads = (part: string, perm: number[]) => {
      const split = graph.add('Reshape', [linear(`${name}.${part}`, hidden), splitHeads]); // [B, S, A, D]
      return graph.add('Transpose', [turn && part !== 'value' ? turn(split) : split], { perm: { ints: perm } });
    };
    const query = heads('query', [0, 2, 1, 3]); // [B, A, S, D]
    const key = heads('key', [0, 2, 3, 1]); // [B, A, D, S]
    const value = heads('value', [0, 2, 1, 3]); // [B, A, S, D]
    const scores = graph.add('Mul', [graph.add('MatMul', [query, key]), scale]); // [B, A, S, S]
    const placed = distanceBias ? graph.add('Add', [scores, distanceBias]) : scores;
    const unseen = near ? hiding(graph.add('Mul', [maskPerHead, near])) : maskBias; // [B, 1, S or 1, S]
    const shares = graph.add('Softmax', [graph.add('Add', [placed, unseen])], { axis: { int: -1 } });
    const context = graph.add('MatMul', [shares, value]); // [B, A, S, D]
    const rows = graph.add('Transpose', [context], { perm: { ints: [0, 2, 1, 3] } });
    return graph.add('Reshape', [rows, joinHeads]); // [B, S, H]
  };

  // [B, S] ids → [B, S, H]
  const rows = (table: string) => graph.add('Gather', [table, 'input_ids']);
  const int8Words = (name: string) => {
    const [whole, steps] = graph.int8Weight(name, 127, false);
    return graph.add('Mul', [graph.add('Cast', [rows(whole)], toFloat), rows(steps)]);
  };
  const table = (name: string) => graph.weight(`embeddings.${name}_embeddings.weight`);
  const words = dtype === 'int8' ? int8Words('embeddings.word_embeddings.weight') : rows(table('word'));
  const positions = () => {
    const first = graph.integers('first_position', [firstPosition]);
    const end = firstPosition ? graph.add('Add', [length, first]) : length;
    return graph.add('Slice', [table('position'), first, end]);
  };
  const placed = rotary ? words : graph.add('Add', [words, positions()]);
  const type = typeVocabSize > 1 ? 'token_type_ids' : graph.integers('only_type', [0]);
  const sum = typeVocabSize ? graph.add('Add', [placed, graph.add('Gather', [table('token_type'), type])]) : placed;
  let hidden = layerNorm('embeddings.LayerNorm', sum);
  let residual = hidden;
  for (let index = 0; index < config.layers; index++) {
    const name = `encoder.layer.${index}`;
    const context = attention(`${name}.attention.self`, hidden, rotary?.[index]);
    const attended = graph.add('Add', [linear(`${name}.attention.output.dense`, context), residual]);
    const normed = layerNorm(`${name}.attention.output.LayerNorm`, attended);
    const inner = activation(linear(`${name}.intermediate.dense`, normed));
    const outer = graph.add('Add', [linear(`${name}.output.dense`, inner), isPreNorm ? attended : normed]);
    const last = index === config.layers - 1;
    hidden = layerNorm(`${name}.output.LayerNorm`, outer, last ? 'last_hidden_state' : undefined);
    residual = isPreNorm ? outer : hidden;
  }
  const ids = ['input_ids', 'attention_mask', ...(typeVocabSize > 1 ? ['token_type_ids'] : [])];
  return graph.toModel(
    ids.map((name) => valueInfo(name, 'int64', ['batch', 'sequence'])),
    [valueInfo(hidden, 'float32', ['batch', 'sequence', H])],
  );
}

/** What distance adds to the scores, in MPNet: sequence length [1] → [A, S, S] */
function relativeBias(graph: Graph, { maxPositions }: EncoderConfig, length: string): string {
  const offsets = Array.from({ length: 2 * maxPositions - 1 }, (_, i) => i - maxPositions + 1);
  const byOffset = graph.add('Gather', [
    graph.weight(RELATIVE_BIAS), // [buckets, A]
    graph.integers('buckets', offsets.map(distanceBucket)),
  ]); // [offsets, A]
  const all = graph.integers('places', [...Array(maxPositions).keys()]);
  const places = graph.add('Slice', [all, graph.integers('first_place', [0]), length]); // [S]
  const keys = graph.add('Add', [places, graph.integers('no_offset', [maxPositions - 1])]);
  const queries = graph.add('Unsqueeze', [places, graph.integers('key_axis', [1])]); // [S, 1]
  const bias = graph.add('Gather', [byOffset, graph.add('Sub', [keys, queries])]); // [S, S, A]
  return graph.add('Transpose', [bias], { perm: { ints: [2, 0, 1] } });
}
