// In: a model and a batch's token ids. Out: the batch's loss and its gradient with respect to every weight.

import type { DropoutSettings, NamedTensors } from '../model/bert/encoder';
import { packSequences } from '../model/bert/packing';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf } from '../model/tf';
import type { TrainingBatch } from './batches';
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

/** What the gradients of a batch depend on, besides the model and the batch. */
export interface GradientOptions {
  /** Rate, and a seed that differs from step to step; none: no dropout. */
  dropout?: DropoutSettings;
  loss?: Loss;
  /** The weights to train, if not the model's own; token ids are then rows of their word embeddings. */
  weights?: NamedTensors;
}

/**
 * The loss of a batch and its gradient with respect to every weight.
 *
 * The encoder's gradient is written out in `BertEncoder.backward`; TensorFlow.js differentiates only the small loss.
 */
export function lossAndGradients(
  model: EmbeddingModel,
  tokenized: TokenizedBatch,
  { dropout, loss = multipleNegativesRankingLoss, weights = model.weights }: GradientOptions = {},
): { loss: number; gradients: NamedTensors } {
  const packed = packSequences([...tokenized.questions, ...tokenized.chunks]); // questions + chunks → [tokens]
  const { embeddings, activations } = model.encoder.forward(weights, packed, dropout); // → [sequences, hidden]
  const { loss: value, gradient } = lossAndEmbeddingGradient(embeddings as tf.Tensor2D, tokenized, loss);
  const gradients = model.encoder.backward(weights, activations, gradient); // → a gradient a weight, in its shape
  tf.dispose([embeddings, gradient]);
  return { loss: value, gradients };
}

/**
 * The loss of a batch's embeddings and its gradient with respect to them.
 *
 * @param embeddings the questions', then those of the chunks or of their windows: [questions + sequences, hidden]
 * @returns the gradient in the same shape; the caller disposes of it
 */
export function lossAndEmbeddingGradient(embeddings: tf.Tensor2D, tokenized: TokenizedBatch, loss: Loss) {
  const questions = tokenized.questions.length;
  const { rows, lossBatch } = columnVectors(tokenized);
  const lossOfEmbeddings = (all: tf.Tensor): tf.Scalar => {
    const asked = tf.slice(all as tf.Tensor2D, [0, 0], [questions, -1]); // [questions, hidden]
    const chunks = tf.slice(all as tf.Tensor2D, [questions, 0]); // [sequences, hidden]
    return loss(asked, tf.gather(chunks, tf.tensor1d(rows, 'int32')), lossBatch);
  };
  const { value, grad } = tf.valueAndGrad(lossOfEmbeddings)(embeddings);
  const result = { loss: value.dataSync()[0], gradient: grad as tf.Tensor2D };
  value.dispose();
  return result;
}

/** The rows that hold the columns' vectors, column after column, among the vectors of the batch's chunks. */
export function columnVectors({ batch, chunkOwners }: Pick<TokenizedBatch, 'batch' | 'chunkOwners'>) {
  if (!chunkOwners) return { rows: batch.columnChunks, lossBatch: batch };
  const rowsOf: number[][] = batch.chunkIds.map(() => []);
  chunkOwners.forEach((chunk, row) => {
    rowsOf[chunk].push(row);
  });
  const columns = Array.from(batch.columnChunks, (chunk) => rowsOf[chunk]);
  const vectorColumns = Int32Array.from(columns.flatMap((rows, column) => rows.map(() => column)));
  return { rows: Int32Array.from(columns.flat()), lossBatch: { ...batch, vectorColumns } };
}
