// In: what MultipleNegativesRankingLoss takes. Out: the loss by which questions find chunks and chunks questions; and
// any loss at several dimensions at once (Matryoshka representation learning: Kusupati et al. 2022, section 3, eq. 1).
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

/**
 * Trains the leading numbers of each vector to do alone: Σ loss(first `dim` numbers of every vector), for whatever loss
 * there is, as sentence-transformers' MatryoshkaLoss. The losses here compare by cosine, so that cut vectors need no
 * normalisation of their own.
 *
 * Use it where vectors will be cut to save memory and search time: the leading numbers then carry the most. The encoder
 * runs once a step; each dimension adds one small loss. The full vectors may lose a little.
 *
 * @param settings `dims`: how many numbers to compare, such as `[384, 192, 96]`; the full size only if it is named
 * @throws Error if there is no dimension, or one is no whole number from 1, and in training if one exceeds the model's
 */
export function matryoshka(settings: { dims: number[] }): Variant {
  const { dims } = settings;
  if (dims.length === 0) throw new Error('matryoshka: dims is empty; name at least one, such as [384, 192, 96].');
  for (const dim of dims) {
    if (!Number.isInteger(dim) || dim < 1) throw new Error(`matryoshka: ${dim} in dims is no whole number from 1.`);
  }
  const cut = (x: tf.Tensor2D, dim: number): tf.Tensor2D => {
    const hidden = x.shape[1];
    if (dim > hidden)
      throw new Error(`matryoshka: ${dim} in dims exceeds the ${hidden} numbers of the model's embeddings.`);
    return dim === hidden ? x : tf.slice(x, [0, 0], [-1, dim]);
  };
  return (method) => ({
    ...method,
    name: `${method.name}, matryoshka ${JSON.stringify(settings)}`,
    loss: (questions, columns, batch) =>
      tidy(() => tf.addN(dims.map((dim) => method.loss(cut(questions, dim), cut(columns, dim), batch))) as tf.Scalar),
  });
}
