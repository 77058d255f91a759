// In: what MultipleNegativesRankingLoss takes. Out: the loss by which questions find chunks and chunks questions.
import { tf, tidy } from '../model/tf';
import type { Variant } from '../train/learner';
import {
  DEFAULT_SCALE,
  type LossBatch,
  MASKED,
  multipleNegativesRankingLoss,
  oneHotTargets,
  rankingScores,
} from '../train/ranking-loss';

/**
 * Trains by {@link symmetricRankingLoss}.
 *
 * Use it where a chunk should also find its questions (clustering, "more like this"), or as a regulariser with small
 * batches: each pair gives two comparisons at the cost of one encoding. On the sample's questions it gained nothing.
 *
 * @throws Error if it stands after another loss in `combine`, which it would replace
 */
export function symmetricLoss(): Variant {
  return (method) => {
    if (method.loss !== multipleNegativesRankingLoss)
      throw new Error('symmetricLoss() would replace the loss that stands before it in combine(…): put it first.');
    return { ...method, name: `${method.name}, symmetric`, loss: symmetricRankingLoss };
  };
}

/**
 * Half of −log softmax over chunks [its chunk] and half of −log softmax over questions [the question], mean over
 * questions, as sentence-transformers' MultipleNegativesSymmetricRankingLoss (Radford et al. 2021, figure 3, for images
 * and captions; Günther et al. 2024 for text embeddings). A chunk's other questions in the batch, and questions it is
 * known to answer, are not its negatives. Columns that are no question's chunk are negatives of the first half only.
 *
 * @param questions [questions, hidden]
 * @param chunks [columns, hidden]
 */
export function symmetricRankingLoss(questions: tf.Tensor2D, chunks: tf.Tensor2D, batch: LossBatch): tf.Scalar {
  return tidy(() => {
    const rows = batch.targets.length;
    const scores = rankingScores(questions, chunks, batch, DEFAULT_SCALE); // [questions, columns]
    const isTarget = oneHotTargets(batch);
    // Row i: its chunk against every question. A product with zeros and ones copies exactly. [questions, questions]
    const backward = tf.matMul(isTarget, scores, false, true);
    const isOwn = tf.eye(rows);
    const isAnotherOfTheChunk = tf.sub(tf.matMul(isTarget, isTarget, false, true), isOwn);
    const backwardScores = tf.add(backward, tf.mul(isAnotherOfTheChunk, MASKED));
    const found = tf.add(
      tf.sum(tf.mul(tf.logSoftmax(scores), isTarget)),
      tf.sum(tf.mul(tf.logSoftmax(backwardScores), isOwn)),
    );
    return tf.div(found, -2 * rows) as tf.Scalar;
  });
}
