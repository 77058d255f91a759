// A batch's embeddings → its loss and the loss's gradient with respect to them: the only part of a step that TensorFlow.js differentiates.
import { tf } from '../model/tf';
import type { LossBatch } from './ranking-loss';
import type { Loss, TokenizedBatch } from './step';

/** The rows that hold the columns' vectors, column after column, among the embeddings of the batch's chunks. */
export function columnVectors({ batch, chunkOwners }: Pick<TokenizedBatch, 'batch' | 'chunkOwners'>): {
  rows: Int32Array;
  lossBatch: LossBatch;
} {
  if (!chunkOwners) return { rows: batch.columnChunks, lossBatch: batch };
  const rowsOf: number[][] = batch.chunkIds.map(() => []);
  chunkOwners.forEach((chunk, row) => {
    rowsOf[chunk].push(row);
  });
  const columns = Array.from(batch.columnChunks, (chunk) => rowsOf[chunk]);
  const vectorColumns = Int32Array.from(columns.flatMap((rows, column) => rows.map(() => column)));
  return { rows: Int32Array.from(columns.flat()), lossBatch: { ...batch, vectorColumns } };
}

/**
 * @param embeddings those of the questions, then those of the batch's chunks or of their windows: [questions + sequences, hidden]
 * @returns the gradient in the same shape; the caller disposes of it
 */
export function lossAndEmbeddingGradient(
  embeddings: tf.Tensor2D,
  tokenized: TokenizedBatch,
  loss: Loss,
): { loss: number; gradient: tf.Tensor2D } {
  const questions = tokenized.questions.length;
  const { rows, lossBatch } = columnVectors(tokenized);
  const lossOfEmbeddings = (all: tf.Tensor): tf.Scalar => {
    const asked = tf.slice(all as tf.Tensor2D, [0, 0], [questions, -1]);
    const chunks = tf.slice(all as tf.Tensor2D, [questions, 0]);
    return loss(asked, tf.gather(chunks, tf.tensor1d(rows, 'int32')), lossBatch);
  };
  const { value, grad } = tf.valueAndGrad(lossOfEmbeddings)(embeddings);
  const result = { loss: value.dataSync()[0], gradient: grad as tf.Tensor2D };
  value.dispose();
  return result;
}
