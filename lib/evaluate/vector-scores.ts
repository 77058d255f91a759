// In: vectors of questions and of documents, one or more each. Out: a score for each question and document.
import { type Embeddings, type Matrix, normalizedRows, type QueryVectors } from '../common/matrix';
import { rowProducts } from '../common/products';
import { documentScores, WINDOW_TEMPERATURE } from './document-scores';

/** How two vectors are compared. */
export type Similarity = 'cosine' | 'dot';

/** Similarities held at a time: 16 MB. */
const AT_A_TIME = 2 ** 22;

/**
 * Each document's score for each question, from the similarities of their vectors: one vector a question and windows of
 * a document as {@link documentScores} has it; words against words by late interaction, the mean, over a question's
 * words, of each one's best cosine (MaxSim, which sums: Khattab & Zaharia 2020, "ColBERT", section 3.3). Less hubness.
 *
 * @param temperature that of `documentScores`; late interaction has none
 * @returns `[questions][documents]`; minus infinity where a document has no vector
 */
export function vectorScores(
  questions: QueryVectors,
  { vectors, owners, hubness, lengths }: Embeddings,
  documents: number,
  options: { similarity?: Similarity; temperature?: number } = {},
): Float64Array[] {
  const { similarity = 'cosine', temperature = WINDOW_TEMPERATURE } = options;
  const questionOf = questions.owners ?? Int32Array.from({ length: questions.rows }, (_, row) => row);
  const counts: number[] = []; // vectors of each question
  for (const question of questionOf) counts[question] = (counts[question] ?? 0) + 1;
  const scores = counts.map(() => new Float64Array(documents));
  const isCosine = similarity === 'cosine';
  const asked = isCosine ? normalizedRows(questions) : questions;
  const found = isCosine && !lengths ? normalizedRows(vectors) : vectors;
  const { columns } = questions;
  const most = Math.max(1, Math.floor(AT_A_TIME / vectors.rows));
  for (let start = 0; start < questions.rows; start += most) {
    const end = Math.min(start + most, questions.rows);
    const block = { data: asked.data.subarray(start * columns, end * columns), rows: end - start, columns };
    const similarities = rowProducts(block, found); // [block's rows, vectors]
    for (let row = start; row < end; row++) {
      const own = similarities.subarray((row - start) * vectors.rows, (row - start + 1) * vectors.rows);
      if (isCosine && lengths) for (let i = 0; i < own.length; i++) own[i] /= lengths[i];
      const best = documentScores(own, owners, documents, questions.owners ? 0 : temperature);
      best.forEach((score, document) => {
        scores[questionOf[row]][document] += score / counts[questionOf[row]];
      });
    }
  }
  return hubness ? scores.map((ofQuestion) => ofQuestion.map((score, document) => score - hubness[document])) : scores;
}

/** Which of a document's vectors is nearest to a question's by cosine, from 0. */
export function nearestVector(question: Matrix, { vectors, owners }: Embeddings, document: number): number {
  const [first, end] = [owners.indexOf(document), owners.lastIndexOf(document) + 1];
  const { columns } = vectors;
  const data = vectors.data.subarray(first * columns, end * columns);
  const cosines = rowProducts(question, normalizedRows({ data, rows: end - first, columns }));
  return cosines.indexOf(Math.max(...cosines));
}
