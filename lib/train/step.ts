// One training step: encode a batch, compare, and turn the loss into the gradient of every weight.
import type { DropoutSettings, NamedTensors } from '../model/bert/encoder';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf } from '../model/tf';
import type { TrainingBatch } from './batches';
import { lossAndEmbeddingGradient } from './embedding-gradient';
import { type LossBatch, multipleNegativesRankingLoss } from './ranking-loss';

/** A loss over pooled embeddings: questions [questions, hidden], columns' vectors [vectors, hidden] → scalar. */
export type Loss = (questions: tf.Tensor2D, columns: tf.Tensor2D, batch: LossBatch) => tf.Scalar;

/** A batch's texts as token ids. */
export interface TokenizedBatch {
  questions: Int32Array[];
  /** One sequence a chunk, or the sequences of all chunks' windows. */
  chunks: Int32Array[];
  /** For each sequence of `chunks`, the index of its chunk; absent where each chunk is one sequence. */
  chunkOwners?: Int32Array;
  batch: TrainingBatch;
}

/** What a step may do differently. */
export interface StepOptions {
  /** Rate, and a seed that differs from step to step; none: no dropout. */
  dropout?: DropoutSettings;
  loss?: Loss;
  /** The weights to train, if not the model's own; token ids are then rows of their word embeddings. */
  weights?: NamedTensors;
}

/**
 * The loss of a batch and its gradient with respect to every weight.
 *
 * The encoder's gradient is written out in `BertEncoder.backward`; TensorFlow.js differentiates only the small loss itself.
 */
export function lossAndGradients(
  model: EmbeddingModel,
  tokenized: TokenizedBatch,
  { dropout, loss = multipleNegativesRankingLoss, weights = model.weights }: StepOptions = {},
): { loss: number; gradients: NamedTensors } {
  const packed = model.pack([...tokenized.questions, ...tokenized.chunks]);
  const { embeddings, activations } = model.encoder.forward(weights, packed, dropout);
  const { loss: value, gradient } = lossAndEmbeddingGradient(embeddings as tf.Tensor2D, tokenized, loss);
  const gradients = model.encoder.backward(weights, activations, gradient);
  tf.dispose([embeddings, gradient]);
  return { loss: value, gradients };
}
