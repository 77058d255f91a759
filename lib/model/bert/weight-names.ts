// In: a checkpoint's weights. Out: the encoder's by name, of the right shapes, query, key and value fused; and back.
import { ARCHITECTURES, checkpointName } from '../architectures';
import type { EncoderConfig } from '../config';
import { blocksOf, type StoredTable, type StoredTensor, sizeOf, storedTensor } from '../safetensors';

/** The tables of embeddings and their norm, as Hugging Face's BertModel names them: of each a weight, maybe a bias. */
export const EMBEDDING = {
  words: 'embeddings.word_embeddings',
  positions: 'embeddings.position_embeddings',
  types: 'embeddings.token_type_embeddings',
  norm: 'embeddings.LayerNorm',
} as const;

/** The same of a layer's parts; `qkv` joins its query, key and value. */
export const layerParts = (layer: number) =>
  ({
    qkv: `encoder.layer.${layer}.attention.self.qkv`,
    out: `encoder.layer.${layer}.attention.output.dense`,
    norm1: `encoder.layer.${layer}.attention.output.LayerNorm`,
    up: `encoder.layer.${layer}.intermediate.dense`,
    down: `encoder.layer.${layer}.output.dense`,
    norm2: `encoder.layer.${layer}.output.LayerNorm`,
  }) as const;

/** The table of word embeddings: [vocabulary, hidden]. */
export const WORDS = `${EMBEDDING.words}.weight`;

/** What distance adds to the scores of attention, in every layer: [buckets, heads]. */
export const RELATIVE_BIAS = 'encoder.relative_attention_bias.weight';

const PARTS = ['query', 'key', 'value'];

/** Every weight's name as in BERT, query, key and value apart unless a checkpoint joins them, with its shape. */
export function weightShapes(config: EncoderConfig): Map<string, number[]> {
  const { hiddenSize: h, intermediateSize: m, modelType } = config;
  const { hasBiases, isFused, isGated, isRotary, relativeBuckets } = ARCHITECTURES[modelType];
  const shapes = new Map<string, number[]>();
  const add = (name: string, ...shape: number[]) => shapes.set(`${name}.weight`, shape);
  const addBoth = (name: string, out: number, ...inputs: number[]) => {
    add(name, out, ...inputs);
    if (hasBiases) shapes.set(`${name}.bias`, [out]);
  };
  add(EMBEDDING.words, config.vocabSize, h);
  if (!isRotary) add(EMBEDDING.positions, config.firstPosition + config.maxPositions, h);
  addBoth(EMBEDDING.norm, h);
  if (config.typeVocabSize) add(EMBEDDING.types, config.typeVocabSize, h);
  if (relativeBuckets) shapes.set(RELATIVE_BIAS, [relativeBuckets, config.heads]);
  for (let i = 0; i < config.layers; i++) {
    const { qkv, out, norm1, up, down, norm2 } = layerParts(i);
    if (isFused) addBoth(qkv, 3 * h, h);
    else for (const part of PARTS) addBoth(qkv.replace('qkv', part), h, h);
    addBoth(out, h, h);
    addBoth(norm1, h);
    addBoth(up, isGated ? 2 * m : m, h);
    addBoth(down, h, m);
    addBoth(norm2, h);
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
export function selectWeights(stored: Map<string, StoredTable>, config: EncoderConfig, source: string) {
  const { prefix } = ARCHITECTURES[config.modelType];
  const isPrefixed = stored.has(prefix + checkpointName(config, WORDS));
  const selected = new Map<string, StoredTable>();
  for (const [name, shape] of weightShapes(config)) {
    const own = (isPrefixed ? prefix : '') + checkpointName(config, name);
    const tensor = stored.get(own);
    if (!tensor)
      throw new Error(`${source} has no weight "${own}", which config.json asks for; the two don't belong together.`);
    if (tensor.shape.join() !== shape.join())
      throw new Error(`${source}: weight "${own}" is [${tensor.shape}], but config.json asks for [${shape}].`);
    for (const values of blocksOf(tensor)) {
      // By index: over 22 million weights eight times quicker than an iterator.
      for (let i = 0; i < values.length; i++) {
        if (Math.abs(values[i]) <= LARGEST_WEIGHT) continue;
        throw new Error(`${source} is damaged: weight "${own}" holds ${values[i]}.`);
      }
    }
    selected.set(name, tensor);
  }
  return selected;
}

/** Joins each layer's query, key and value ([hidden, hidden] each) into one [3 · hidden, hidden]; biases likewise. */
export function fuseQueryKeyValue(weights: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const fused = new Map<string, StoredTensor>();
  for (const [name, tensor] of weights) {
    if (!/attention\.self\.(query|key|value)\./.test(name)) fused.set(name, tensor);
    if (!name.includes('attention.self.query.')) continue;
    const parts = PARTS.map((part) => weights.get(name.replace('query', part))!);
    const read = () => {
      const data = new Float32Array(3 * sizeOf(tensor));
      let end = 0;
      for (const part of parts)
        for (const block of blocksOf(part)) {
          data.set(block, end);
          end += block.length;
        }
      return data;
    };
    const [rows, ...others] = tensor.shape;
    fused.set(name.replace('query', 'qkv'), storedTensor([3 * rows, ...others], read));
  }
  return fused;
}

/** The encoder's weights by a checkpoint's own names, query, key and value apart unless it joins them. */
export function checkpointWeights(weights: Map<string, StoredTensor>, config: EncoderConfig) {
  const stored = ARCHITECTURES[config.modelType].isFused ? weights : splitQueryKeyValue(weights);
  return new Map([...stored].map(([name, tensor]) => [checkpointName(config, name), tensor]));
}

/** The inverse of {@link fuseQueryKeyValue}. */
export function splitQueryKeyValue(weights: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const split = [...weights].flatMap(([name, tensor]): [string, StoredTensor][] => {
    if (!name.includes('.qkv.')) return [[name, tensor]];
    const shape = [tensor.shape[0] / 3, ...tensor.shape.slice(1)];
    const third = sizeOf(tensor) / 3;
    return PARTS.map((part, i) => [
      name.replace('qkv', part),
      storedTensor(shape, () => {
        const [from, to] = [i * third, (i + 1) * third];
        return tensor.read ? tensor.read().subarray(from, to) : tensor.data.slice(from, to);
      }),
    ]);
  });
  return new Map(split);
}
