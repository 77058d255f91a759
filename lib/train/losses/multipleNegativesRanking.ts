// MultipleNegativesRankingLoss, also known as InfoNCE with in-batch negatives (Henderson et al. 2017, section 4;
// van den Oord et al. 2018, eq. 4).
import { tf } from '../../model/tf';

/** One batch's questions and chunks as the loss compares them. */
export interface LossBatch {
  /** For each question, the column of its chunk. */
  targets: Int32Array;
  /** Pairs (question, column) that are known to belong together too and must not count as negatives. */
  knownPositives: [question: number, column: number][];
  /** Number of columns: chunks each question is compared with. */
  columns: number;
}

/** Cosine similarities × 20, the default of sentence-transformers. */
export const DEFAULT_SCALE = 20;

/** x / max(‖x‖, 1e-12), row by row: [rows, hidden] */
function normalizeRows(x: tf.Tensor2D): tf.Tensor2D {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), 1e-12)) as tf.Tensor2D;
}

/** Cosine similarity of every question with every chunk: [questions, chunks] */
export function cosineSimilarities(questions: tf.Tensor2D, chunks: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(normalizeRows(questions), normalizeRows(chunks), false, true);
}

/**
 * Mean over questions of −log softmax(scale · cosine)[its chunk].
 *
 * Use it with (question, chunk) pairs and no other labels: each question should find its chunk among all chunks of the batch.
 *
 * @param questions [questions, hidden]
 * @param chunks [columns, hidden]
 */
export function multipleNegativesRankingLoss(
  questions: tf.Tensor2D,
  chunks: tf.Tensor2D,
  batch: LossBatch,
  scale = DEFAULT_SCALE,
): tf.Scalar {
  return tf.tidy(() => {
    const rows = batch.targets.length;
    let scores = tf.mul(cosineSimilarities(questions, chunks), scale); // [questions, columns]
    if (batch.knownPositives.length) {
      const mask = new Float32Array(rows * batch.columns);
      for (const [row, column] of batch.knownPositives) mask[row * batch.columns + column] = -1e9;
      scores = tf.add(scores, tf.tensor2d(mask, [rows, batch.columns]));
    }
    const targets = tf.oneHot(tf.tensor1d(batch.targets, 'int32'), batch.columns);
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), targets))).div(rows) as tf.Scalar;
  });
}
