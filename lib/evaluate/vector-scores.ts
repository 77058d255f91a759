// In: vectors of questions and of documents, one or more each. Out: a score for each question and document.
import { type Embeddings, type Matrix, normalizedRows, type QueryVectors } from '../common/matrix';
import { evenSizes, pieces, product, tf, tidy } from '../model/tf';
import { WINDOW_TEMPERATURE } from './document-scores';

/** How two vectors are compared. */
export type Similarity = 'cosine' | 'dot';

/** Compared with a document at a time, so that their similarities stay in a processor's cache. */
const QUERY_VECTORS_AT_A_TIME = 4096;

/**
 * Each document's score for each question, from the similarities of their vectors: one vector a question and windows of
 * a document as `documentScores` has it; words against words by late interaction, the mean, over a question's words, of
 * each one's best cosine (MaxSim, which sums: Khattab & Zaharia 2020, "ColBERT", section 3.3). Less its hubness.
 *
 * @param temperature that of `documentScores`; late interaction has none
 * @returns `[questions][documents]`; minus infinity where a document has no vector
 */
export function vectorScores(
  questions: QueryVectors,
  { vectors, owners, hubness }: Embeddings,
  documents: number,
  options: { similarity?: Similarity; temperature?: number } = {},
): Float64Array[] {
  const { similarity = 'cosine', temperature = WINDOW_TEMPERATURE } = options;
  if (questions.rows === 0) return [];
  const questionOf = questions.owners ?? Int32Array.from({ length: questions.rows }, (_, row) => row);
  const counts: number[] = []; // vectors of each question
  for (const question of questionOf) counts[question] = (counts[question] ?? 0) + 1;
  const scores = counts.map(() => new Float64Array(documents).fill(Number.NEGATIVE_INFINITY));
  const asked = toTensor(questions, similarity); // [question vectors, dimensions]
  const blocks = pieces(asked, evenSizes(questions.rows, QUERY_VECTORS_AT_A_TIME));
  const { columns } = vectors;
  for (let start = 0, end = 0; start < owners.length; start = end) {
    const document = owners[start];
    while (end < owners.length && owners[end] === document) end++;
    const own = { data: vectors.data.subarray(start * columns, end * columns), rows: end - start, columns };
    const best = tidy(() => {
      const found = toTensor(own, similarity); // [document's vectors, dimensions]
      return blocks.flatMap((block) => {
        const similarities = product(block, found, false, true);
        return [...softMaximum(similarities, questions.owners ? 0 : temperature).dataSync()];
      });
    });
    for (const ofQuestion of scores) ofQuestion[document] = hubness ? -hubness[document] : 0;
    best.forEach((score, row) => {
      scores[questionOf[row]][document] += score / counts[questionOf[row]];
    });
  }
  tf.dispose([asked, ...blocks]);
  return scores;
}

/** Of each row, T · log mean exp(x / T): [rows, columns] → [rows] */
function softMaximum(x: tf.Tensor2D, temperature: number): tf.Tensor {
  if (temperature === 0 || x.shape[1] === 1) return tf.max(x, 1);
  const sums = tf.logSumExp(tf.div(x, temperature), 1);
  return tf.mul(tf.sub(sums, Math.log(x.shape[1])), temperature);
}

function toTensor(matrix: Matrix<Float32Array | Int8Array>, similarity: Similarity): tf.Tensor2D {
  const { data } = similarity === 'cosine' ? normalizedRows(matrix) : matrix;
  return tf.tensor2d(Float32Array.from(data), [matrix.rows, matrix.columns]);
}
