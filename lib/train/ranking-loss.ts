// In: a batch's question and chunk vectors. Out: MultipleNegativesRankingLoss, also known as InfoNCE with in-batch
// negatives (Henderson et al. 2017, section 4; van den Oord et al. 2018, eq. 4).

import { product, productWithGradient, tf } from '../model/tf';

/** One batch's questions and chunks as the loss compares them. */
export interface LossBatch {
  /** For each question, the column of its chunk. */
  targets: Int32Array;
  /** Pairs (question, column) that are known to belong together too and must not count as negatives. */
  knownPositives: [question: number, column: number][];
  /** Number of columns: chunks each question is compared with. */
  columns: number;
  /** For each vector, its column, where a column has several (windows of a chunk); absent where each has one. */
  vectorColumns?: Int32Array;
}

/** Cosine similarities × 20, the default of sentence-transformers. */
export const DEFAULT_SCALE = 20;

/** Added to a similarity that must not count: e to its power is 0. */
export const MASKED = -1e9;

/** x / max(‖x‖, 1e-12), row by row: [rows, hidden] */
function normalizeRows(x: tf.Tensor2D): tf.Tensor2D {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), 1e-12)) as tf.Tensor2D;
}

/** Cosine similarity of every question with every vector: [questions, vectors] */
export function cosineSimilarities(questions: tf.Tensor2D, vectors: tf.Tensor2D): tf.Tensor2D {
  return productWithGradient(normalizeRows(questions), normalizeRows(vectors), true);
}

/** The highest value of each column's vectors, row by row: values [rows, vectors] → [rows, columns] */
export function columnMaxima(values: Float32Array, { targets, columns, vectorColumns }: LossBatch): Float32Array {
  if (!vectorColumns) return values;
  const highest = new Float32Array(targets.length * columns).fill(Number.NEGATIVE_INFINITY);
  for (let row = 0; row < targets.length; row++) {
    vectorColumns.forEach((column, vector) => {
      const value = values[row * vectorColumns.length + vector];
      if (value > highest[row * columns + column]) highest[row * columns + column] = value;
    });
  }
  return highest;
}

/**
 * Scores of a chunk's windows → the chunk's score, log-mean-exp: a maximum softened, so that not only the window which
 * happens to be ahead learns (Log-Sum-Exp pooling: Pinheiro & Collobert 2015, "From image-level to pixel-level labeling
 * with convolutional networks").
 *
 * @param scores [questions, vectors]
 * @returns [questions, columns]
 */
function overWindows(scores: tf.Tensor2D, batch: LossBatch): tf.Tensor2D {
  const { targets, columns, vectorColumns } = batch;
  if (!vectorColumns) return scores;
  const isOf = oneHot(vectorColumns, columns); // [vectors, columns]
  // Subtracted before exp and added after log: a constant, which keeps exp in range.
  const highest = tf.tensor2d(columnMaxima(scores.dataSync() as Float32Array, batch), [targets.length, columns]);
  const powers = tf.exp(tf.sub(scores, product(highest, isOf, false, true))); // [questions, vectors]
  const means = tf.div(productWithGradient(powers as tf.Tensor2D, isOf), tf.sum(isOf, 0)); // [questions, columns]
  return tf.add(highest, tf.log(means)) as tf.Tensor2D;
}

/** scale · cosine, with known positives pushed out of every softmax: [questions, columns] */
export function rankingScores(questions: tf.Tensor2D, chunks: tf.Tensor2D, batch: LossBatch, scale: number) {
  const { targets, columns, knownPositives } = batch;
  const scores = overWindows(tf.mul(cosineSimilarities(questions, chunks), scale) as tf.Tensor2D, batch);
  if (knownPositives.length === 0) return scores;
  const mask = new Float32Array(targets.length * columns);
  for (const [row, column] of knownPositives) mask[row * columns + column] = MASKED;
  return tf.add(scores, tf.tensor2d(mask, [targets.length, columns])) as tf.Tensor2D;
}

/** 1 at each question's chunk, else 0: [questions, columns] */
export const oneHotTargets = ({ targets, columns }: LossBatch): tf.Tensor2D => oneHot(targets, columns);

/** 1 at each index, else 0: [indices, depth]; tf.oneHot refuses the depth of 1 that a last batch of one pair has. */
function oneHot(indices: Int32Array, depth: number): tf.Tensor2D {
  const isAt = tf.equal(tf.tensor2d(indices, [indices.length, 1], 'int32'), tf.range(0, depth, 1, 'int32'));
  return tf.cast(isAt, 'float32') as tf.Tensor2D;
}

/**
 * Mean over questions of −log softmax(scale · cosine)[its chunk].
 *
 * Use it with (question, chunk) pairs and no other labels: each question should find its chunk among all chunks of the
 * batch. Columns that are no question's chunk are hard negatives, for every question alike.
 *
 * @param questions [questions, hidden]
 * @param chunks [columns, hidden], or [vectors, hidden] where columns have several
 */
export function multipleNegativesRankingLoss(
  questions: tf.Tensor2D,
  chunks: tf.Tensor2D,
  batch: LossBatch,
  scale = DEFAULT_SCALE,
): tf.Scalar {
  return tf.tidy(() => {
    const scores = rankingScores(questions, chunks, batch, scale);
    return tf.neg(tf.sum(tf.mul(tf.logSoftmax(scores), oneHotTargets(batch)))).div(batch.targets.length) as tf.Scalar;
  });
}
