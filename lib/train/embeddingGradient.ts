// A batch's embeddings → its loss and the loss's gradient with respect to them: the only part of a step that TensorFlow.js differentiates.
import { tf } from '../model/tf';
import type { TrainingBatch } from './batches';
import type { Loss } from './step';

/**
 * @param embeddings those of the questions, then those of the batch's chunks: [questions + chunks, hidden]
 * @returns the gradient in the same shape; the caller disposes of it
 */
export function lossAndEmbeddingGradient(
  embeddings: tf.Tensor2D,
  batch: TrainingBatch,
  loss: Loss,
): { loss: number; gradient: tf.Tensor2D } {
  const questions = batch.queryIds.length;
  const lossOfEmbeddings = (all: tf.Tensor): tf.Scalar => {
    const asked = tf.slice(all as tf.Tensor2D, [0, 0], [questions, -1]);
    const chunks = tf.slice(all as tf.Tensor2D, [questions, 0]);
    const columns = tf.gather(chunks, tf.tensor1d(batch.columnChunks, 'int32')); // [columns, hidden]
    return loss(asked, columns, batch);
  };
  const { value, grad } = tf.valueAndGrad(lossOfEmbeddings)(embeddings);
  const result = { loss: value.dataSync()[0], gradient: grad as tf.Tensor2D };
  value.dispose();
  return result;
}
