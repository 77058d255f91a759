// Batches and gradients as the tests of training need them.
import { type EmbeddingModel, makeBatches, tf } from 'finetune-embedding';
import type { DropoutSettings } from 'finetune-embedding/dist/model/bert/encoder.js';
import { checkpointWeights, WORDS } from 'finetune-embedding/dist/model/bert/weight-names.js';
import type { StoredTensor } from 'finetune-embedding/dist/model/safetensors.js';
import type { TrainingPairs } from 'finetune-embedding/dist/train/batches.js';
import * as step from 'finetune-embedding/dist/train/step.js';

/** The first batch of `batchSize` pairs in file order, tokenised. */
export function firstBatch(model: EmbeddingModel, data: TrainingPairs, batchSize: number) {
  const [batch] = makeBatches(data, 'file-order', batchSize, 0, 0);
  return {
    batch,
    questions: batch.queryIds.map((id) => model.queryTokenizer.encode(data.queries[id], model.maxSeqLength)),
    chunks: batch.chunkIds.map((id) => model.documentTokenizer.encode(data.corpus[id], model.maxSeqLength)),
  };
}

type Step = Parameters<typeof step.lossAndGradients>;

/** The model's weights, among them the whole table of words, whose rows are token ids. */
export function allWeights(model: EmbeddingModel) {
  const { words, weights } = model;
  if (!weights.has(WORDS)) weights.set(WORDS, tf.tensor(words.data, words.shape));
  return weights;
}

/** Of all weights. */
export const lossAndGradients = (model: Step[0], batch: Step[1], options: Partial<Step[2]> = {}) =>
  step.lossAndGradients(model, batch, { weights: allWeights(model), ...options });

/** The loss and every weight's gradient under the checkpoint's own names. */
export function checkpointGradients(model: Step[0], batch: Step[1], dropout?: DropoutSettings) {
  const { loss, gradients } = lossAndGradients(model, batch, { dropout });
  const stored = new Map<string, StoredTensor>();
  for (const [name, gradient] of gradients) {
    stored.set(name, { shape: gradient.shape, data: gradient.dataSync() as Float32Array });
  }
  tf.dispose([...gradients.values()]);
  return { loss, gradients: checkpointWeights(stored, model.encoder.config) };
}

/** √Σx² */
export const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((s, x) => s + x * x, 0));
