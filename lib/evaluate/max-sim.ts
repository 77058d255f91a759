// In: vectors of the words of questions and of documents. Out: a score for each question and document.
import { type Embeddings, type Matrix, normalizedRows } from '../common/matrix';
import { evenSizes, pieces, product, tf, tidy } from '../model/tf';

/** Compared with a document at a time, so that their cosines with its words stay in a processor's cache. */
const WORDS_AT_A_TIME = 4096;

/**
 * Late interaction: the mean, over a question's words, of each word's best cosine among a document's (ColBERT's MaxSim,
 * which sums: Khattab & Zaharia 2020, section 3.3). The mean leaves scores on the scale of a cosine.
 *
 * @returns `[questions][documents]`; minus infinity where a document has no vector
 */
export function maxSim(questions: Embeddings, documents: Embeddings, documentCount: number): Float64Array[] {
  const counts: number[] = [];
  for (const owner of questions.owners) counts[owner] = (counts[owner] ?? 0) + 1;
  const scores = counts.map(() => new Float64Array(documentCount).fill(Number.NEGATIVE_INFINITY));
  const words = toTensor(normalizedRows(questions.vectors)); // [words, dimensions]
  const blocks = pieces(words, evenSizes(words.shape[0], WORDS_AT_A_TIME));
  const { vectors, owners } = documents;
  for (let start = 0, end = 0; start < owners.length; start = end) {
    while (end < owners.length && owners[end] === owners[start]) end++;
    const { columns } = vectors;
    const own = { data: vectors.data.subarray(start * columns, end * columns), rows: end - start, columns };
    const best = bestCosines(blocks, normalizedRows(own));
    for (const ofQuestion of scores) ofQuestion[owners[start]] = 0;
    best.forEach((cosine, word) => {
      const question = questions.owners[word];
      scores[question][owners[start]] += cosine / counts[question];
    });
  }
  tf.dispose([words, ...blocks]);
  return scores;
}

/** Each word's best cosine among a document's vectors, for all blocks of words: [words] */
function bestCosines(blocks: tf.Tensor2D[], document: Matrix): number[] {
  return tidy(() => {
    const vectors = toTensor(document);
    return blocks.flatMap((words) => [...tf.max(product(words, vectors, false, true), 1).dataSync()]);
  });
}

const toTensor = ({ data, rows, columns }: Matrix) => tf.tensor2d(data, [rows, columns]);
