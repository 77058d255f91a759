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
  /** For each vector, its column, where a column has several (windows of a chunk); absent where each column is one vector. */
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
  return tf.matMul(normalizeRows(questions), normalizeRows(vectors), false, true);
}

/** 1 where a vector is its column's most similar to the question, else 0; the first of equals: [questions, vectors] */
function bestVectors(
  cosines: Float32Array,
  questions: number,
  columns: number,
  vectorColumns: Int32Array,
): tf.Tensor2D {
  const vectors = vectorColumns.length;
  const isBest = new Float32Array(questions * vectors);
  const best = new Int32Array(columns);
  for (let row = 0; row < questions; row++) {
    best.fill(-1);
    vectorColumns.forEach((column, vector) => {
      const before = best[column];
      if (before < 0 || cosines[row * vectors + vector] > cosines[row * vectors + before]) best[column] = vector;
    });
    for (const vector of best) if (vector >= 0) isBest[row * vectors + vector] = 1;
  }
  return tf.tensor2d(isBest, [questions, vectors]);
}

/**
 * Similarity of every question with every column; with a chunk of several windows, that of its best one (MaxP: Dai & Callan 2019, section 3),
 * which alone receives a gradient.
 *
 * @param questions [questions, hidden]
 * @param vectors [vectors, hidden]
 * @returns [questions, columns]
 */
export function columnSimilarities(
  questions: tf.Tensor2D,
  vectors: tf.Tensor2D,
  { columns, vectorColumns }: LossBatch,
): tf.Tensor2D {
  const cosines = cosineSimilarities(questions, vectors);
  if (!vectorColumns) return cosines;
  const isBest = bestVectors(cosines.dataSync() as Float32Array, questions.shape[0], columns, vectorColumns);
  const toColumns = tf.oneHot(tf.tensor1d(vectorColumns, 'int32'), columns) as tf.Tensor2D; // [vectors, columns]
  return tf.matMul(tf.mul(cosines, isBest), toColumns); // a product with zeros and ones copies exactly
}

/** scale · cosine, with known positives pushed out of every softmax: [questions, columns] */
export function rankingScores(
  questions: tf.Tensor2D,
  chunks: tf.Tensor2D,
  batch: LossBatch,
  scale: number,
): tf.Tensor2D {
  const { targets, columns, knownPositives } = batch;
  const scores = tf.mul(columnSimilarities(questions, chunks, batch), scale) as tf.Tensor2D;
  if (knownPositives.length === 0) return scores;
  const mask = new Float32Array(targets.length * columns);
  for (const [row, column] of knownPositives) mask[row * columns + column] = MASKED;
  return tf.add(scores, tf.tensor2d(mask, [targets.length, columns])) as tf.Tensor2D;
}

/** 1 at each question's chunk, else 0: [questions, columns] */
export function oneHotTargets({ targets, columns }: LossBatch): tf.Tensor2D {
  return tf.oneHot(tf.tensor1d(targets, 'int32'), columns) as tf.Tensor2D;
}

/**
 * Mean over questions of −log softmax(scale · cosine)[its chunk].
 *
 * Use it with (question, chunk) pairs and no other labels: each question should find its chunk among all chunks of the batch.
 * Columns that are no question's chunk are hard negatives, for every question alike.
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
