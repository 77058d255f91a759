// In: a checkpoint's weights. Out: the encoder's by name, of the right shapes, query, key and value fused; and back.
import { ARCHITECTURES, checkpointName } from '../architectures';
import type { EncoderConfig } from '../config';
import { type StoredTensor, sizeOf, storedTensor } from '../safetensors';

/** Names inside one layer, as Hugging Face's BertModel names them; `qkv` joins its query, key and value. */
export const LAYER = {
  qkvWeight: 'attention.self.qkv.weight',
  qkvBias: 'attention.self.qkv.bias',
  outWeight: 'attention.output.dense.weight',
  outBias: 'attention.output.dense.bias',
  norm1Gamma: 'attention.output.LayerNorm.weight',
  norm1Beta: 'attention.output.LayerNorm.bias',
  w1: 'intermediate.dense.weight',
  b1: 'intermediate.dense.bias',
  w2: 'output.dense.weight',
  b2: 'output.dense.bias',
  norm2Gamma: 'output.LayerNorm.weight',
  norm2Beta: 'output.LayerNorm.bias',
} as const;

/** Names of the embedding layer's weights. */
export const EMBEDDING = {
  words: 'embeddings.word_embeddings.weight',
  positions: 'embeddings.position_embeddings.weight',
  types: 'embeddings.token_type_embeddings.weight',
  gamma: 'embeddings.LayerNorm.weight',
  beta: 'embeddings.LayerNorm.bias',
} as const;

/** What distance adds to the scores of attention, in every layer: [buckets, heads]. */
export const RELATIVE_BIAS = 'encoder.relative_attention_bias.weight';

/** The full name of a layer's weight. */
export const layerWeight = (layer: number, name: keyof typeof LAYER): string => `encoder.layer.${layer}.${LAYER[name]}`;

/** Every weight's name as in BERT, query, key and value apart, with its shape. */
export function weightShapes(config: EncoderConfig): Map<string, number[]> {
  const { hiddenSize: h, intermediateSize: m } = config;
  const shapes = new Map<string, number[]>([
    [EMBEDDING.words, [config.vocabSize, h]],
    [EMBEDDING.positions, [config.firstPosition + config.maxPositions, h]],
    [EMBEDDING.gamma, [h]],
    [EMBEDDING.beta, [h]],
  ]);
  if (config.typeVocabSize) shapes.set(EMBEDDING.types, [config.typeVocabSize, h]);
  if (config.relativeBuckets) shapes.set(RELATIVE_BIAS, [config.relativeBuckets, config.heads]);
  for (let i = 0; i < config.layers; i++) {
    const add = (name: string, shape: number[]) => shapes.set(`encoder.layer.${i}.${name}`, shape);
    for (const part of ['query', 'key', 'value']) {
      add(`attention.self.${part}.weight`, [h, h]);
      add(`attention.self.${part}.bias`, [h]);
    }
    add(LAYER.outWeight, [h, h]);
    add(LAYER.outBias, [h]);
    add(LAYER.norm1Gamma, [h]);
    add(LAYER.norm1Beta, [h]);
    add(LAYER.w1, [m, h]);
    add(LAYER.b1, [m]);
    add(LAYER.w2, [h, m]);
    add(LAYER.b2, [h]);
    add(LAYER.norm2Gamma, [h]);
    add(LAYER.norm2Beta, [h]);
  }
  return shapes;
}

/** Trained weights are far smaller; damaged ones are often larger, or no numbers. */
const LARGEST_WEIGHT = 1e6;

/**
 * Picks the encoder's weights, by their names in BERT, out of a checkpoint (with or without a prefix such as `bert.`);
 * checks their shapes and values.
 *
 * @param source what the weights come from, for error messages
 * @throws Error naming the first weight that is missing, of another shape, or no number that a weight can be
 */
export function selectWeights(stored: Map<string, StoredTensor>, config: EncoderConfig, source: string) {
  const { prefix } = ARCHITECTURES[config.modelType];
  const isPrefixed = stored.has(prefix + EMBEDDING.words);
  const selected = new Map<string, StoredTensor>();
  for (const [name, shape] of weightShapes(config)) {
    const own = (isPrefixed ? prefix : '') + checkpointName(config.modelType, name);
    const tensor = stored.get(own);
    if (!tensor)
      throw new Error(`${source} has no weight "${own}", which config.json asks for; the two don't belong together.`);
    if (tensor.shape.join() !== shape.join())
      throw new Error(`${source}: weight "${own}" is [${tensor.shape}], but config.json asks for [${shape}].`);
    const { data } = tensor;
    // By index: over 22 million weights eight times quicker than an iterator.
    for (let i = 0; i < data.length; i++) {
      if (Math.abs(data[i]) <= LARGEST_WEIGHT) continue;
      throw new Error(`${source} is damaged: weight "${own}" holds ${data[i]}.`);
    }
    selected.set(name, tensor);
  }
  return selected;
}

const PARTS = ['query', 'key', 'value'];

/** Joins each layer's query, key and value ([hidden, hidden] each) into one [3 · hidden, hidden]; biases likewise. */
export function fuseQueryKeyValue(weights: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const fused = new Map<string, StoredTensor>();
  for (const [name, tensor] of weights) {
    if (!/attention\.self\.(query|key|value)\./.test(name)) fused.set(name, tensor);
    if (!name.includes('attention.self.query.')) continue;
    const parts = PARTS.map((part) => weights.get(name.replace('query', part))!);
    const read = () => {
      const data = new Float32Array(3 * sizeOf(tensor));
      parts.forEach((part, i) => {
        data.set(part.data, i * sizeOf(tensor));
      });
      return data;
    };
    const [rows, ...others] = tensor.shape;
    fused.set(name.replace('query', 'qkv'), storedTensor([3 * rows, ...others], read));
  }
  return fused;
}

/** The inverse of {@link fuseQueryKeyValue}. */
export function splitQueryKeyValue(weights: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const split = [...weights].flatMap(([name, tensor]): [string, StoredTensor][] => {
    if (!name.includes('.qkv.')) return [[name, tensor]];
    const shape = [tensor.shape[0] / 3, ...tensor.shape.slice(1)];
    const third = sizeOf(tensor) / 3;
    return PARTS.map((part, i) => [
      name.replace('qkv', part),
      storedTensor(shape, () => tensor.data.subarray(i * third, (i + 1) * third)),
    ]);
  });
  return new Map(split);
}
