// In: vectors of questions and of documents, one or more each. Out: a score for each question and document.
import {
  type Embeddings,
  type Matrix,
  normalizedRows,
  type QueryVectors,
  release,
  rowOf,
  rowsOf,
} from '../common/matrix';
import { rowProducts } from '../common/products';

/** 1 over the loss's `DEFAULT_SCALE`, so that a search compares what training compared. */
export const WINDOW_TEMPERATURE = 0.05;

/**
 * A document's score from those of its vectors (windows, say): T · log mean exp(s / T), their maximum softened, so that
 * a document with several fitting windows comes before one with a single window that fits by chance (log-mean-exp
 * pooling: Pinheiro & Collobert 2015, "From image-level to pixel-level labeling with convolutional networks",
 * section 3). A document with one vector has that one's score.
 *
 * @param scores `[vectors]`; `owners`: the index of each one's document, below `documents`
 * @param temperature T; 0 takes the maximum (MaxP: Dai & Callan 2019, "Deeper Text Understanding for IR", section 3)
 * @returns `[documents]`; minus infinity where a document has no vector
 */
export function documentScores(
  scores: ArrayLike<number>,
  owners: ArrayLike<number>,
  documents: number,
  temperature = WINDOW_TEMPERATURE,
): Float64Array {
  const best = new Float64Array(documents).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < scores.length; i++) best[owners[i]] = Math.max(best[owners[i]], scores[i]);
  if (temperature === 0) return best;
  const sums = new Float64Array(documents); // Σ exp((s − best) / T)
  const counts = new Int32Array(documents);
  for (let i = 0; i < scores.length; i++) {
    sums[owners[i]] += Math.exp((scores[i] - best[owners[i]]) / temperature);
    counts[owners[i]]++;
  }
  return best.map((score, document) =>
    counts[document] > 1 ? score + temperature * Math.log(sums[document] / counts[document]) : score,
  );
}

/** How two vectors are compared. */
export type Similarity = 'cosine' | 'dot';

/** Vectors of documents, and similarities, held as 32-bit floats at a time: 3 MB of MiniLM's, and 4 MB. */
const VECTORS_AT_A_TIME = 2048;
const SIMILARITIES_AT_A_TIME = 2 ** 20;

/** Ascending owners cut into runs of whole documents, of about so many vectors: where each begins and ends. */
function* wholeDocuments(owners: Int32Array): Generator<[first: number, end: number]> {
  for (let first = 0; first < owners.length; ) {
    let end = Math.min(first + VECTORS_AT_A_TIME, owners.length);
    while (end < owners.length && owners[end] === owners[end - 1]) end++;
    yield [first, end];
    first = end;
  }
}

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
  const unscored = new Float64Array(documents).fill(Number.NEGATIVE_INFINITY);
  for (const owner of owners) unscored[owner] = 0;
  const scores = counts.map(() => unscored.slice());
  const isCosine = similarity === 'cosine';
  const asked = isCosine ? normalizedRows(questions) : questions;
  for (const [first, end] of wholeDocuments(owners)) {
    const some = rowsOf(vectors, first, end);
    const found = isCosine && !lengths ? normalizedRows(some) : some;
    const ownersHere = owners.subarray(first, end).map((owner) => owner - owners[first]);
    const documentsHere = ownersHere[found.rows - 1] + 1;
    const most = Math.max(1, Math.floor(SIMILARITIES_AT_A_TIME / found.rows));
    for (let start = 0; start < questions.rows; start += most) {
      const block = rowsOf(asked, start, Math.min(start + most, questions.rows));
      const similarities = { data: rowProducts(block, found), rows: block.rows, columns: found.rows };
      for (let i = 0; i < block.rows; i++) {
        const own = rowOf(similarities, i);
        if (isCosine && lengths) for (let j = 0; j < own.length; j++) own[j] /= lengths[first + j];
        const best = documentScores(own, ownersHere, documentsHere, questions.owners ? 0 : temperature);
        const question = questionOf[start + i];
        best.forEach((score, document) => {
          scores[question][owners[first] + document] += score / counts[question];
        });
      }
      release(similarities.data);
    }
  }
  return hubness ? scores.map((ofQuestion) => ofQuestion.map((score, document) => score - hubness[document])) : scores;
}

/** Which of a document's vectors is nearest to a question's by cosine, from 0. */
export function nearestVector(question: Matrix, { vectors, owners }: Embeddings, document: number): number {
  const [first, end] = [owners.indexOf(document), owners.lastIndexOf(document) + 1];
  const cosines = rowProducts(question, normalizedRows(rowsOf(vectors, first, end)));
  return cosines.indexOf(Math.max(...cosines));
}
