// In: vectors of queries, and of documents (one or more each). Out: for each query, its best documents, best first.
import { type Embeddings, type Matrix, normalizedRows, type QueryVectors } from '../common/matrix';
import { documentScores } from './document-scores';
import { maxSim } from './max-sim';

/** A document and its score for a query. */
export interface RankedDocument {
  id: string;
  score: number;
}

/** One list a query, in the order of the dataset's queries (`Object.keys(dataset.queries)`), best document first. */
export type Rankings = RankedDocument[][];

/** How two vectors are compared. */
export type Similarity = 'cosine' | 'dot';

/** As deep as the deepest metric looks (MAP@100). */
export const RANKING_DEPTH = 100;

/**
 * Ranks documents for each query by the similarity of their vectors: `documentScores` of them or, where a query has a
 * vector a word piece (`owners`), {@link maxSim} by cosine.
 *
 * Exact ties are ordered by ascending document id, as sentence-transformers' InformationRetrievalEvaluator does.
 *
 * @param queries `[queries, dimensions]`
 * @param documents `[vectors, dimensions]` and the document each vector belongs to
 * @param documentIds the document that `documents.owners` index
 * @param options `topK`: how many documents to keep a query (default 100; `Infinity` keeps all);
 *   `windowTemperature`: how far a document's further vectors count beside its best (default 0.05; 0: not at all)
 * @throws {Error} if dimensions disagree, a document has no id, or a vector holds NaN or infinity.
 */
export function rankByVectors(
  queries: QueryVectors,
  documents: Embeddings,
  documentIds: string[],
  options: { similarity?: Similarity; topK?: number; windowTemperature?: number } = {},
): Rankings {
  const { similarity = 'cosine', topK = RANKING_DEPTH, windowTemperature } = options;
  checkShapes(queries, documents, documentIds);
  const count = documentIds.length;
  const { owners } = queries;
  if (owners) {
    const scores = maxSim({ vectors: queries, owners }, documents, count);
    return scores.map((own) => bestDocuments(documentIds, own, topK));
  }
  const [a, b] = [queries, documents.vectors].map((matrix) =>
    similarity === 'cosine' ? normalizedRows(matrix) : { ...matrix, data: Float32Array.from(matrix.data) },
  );
  const block = new Float32Array(BLOCK * b.rows);
  const rankings: Rankings = [];
  for (let query = 0; query < a.rows; query++) {
    const row = query % BLOCK;
    if (row === 0) dotProducts(a, query, b, block);
    const scores = block.subarray(row * b.rows, (row + 1) * b.rows);
    const ofDocuments = documentScores(scores, documents.owners, count, windowTemperature);
    rankings.push(bestDocuments(documentIds, ofDocuments, topK));
  }
  return rankings;
}

/**
 * The best `topK` documents, best first, ties by ascending id. Documents scored minus infinity are left out.
 * @param scores one a document
 * @throws {RangeError} as {@link checkTopK} does.
 */
export function bestDocuments(ids: string[], scores: ArrayLike<number>, topK: number): RankedDocument[] {
  checkTopK(topK);
  let candidates = Array.from(scores, (_, i) => i).filter((i) => scores[i] !== Number.NEGATIVE_INFINITY);
  if (candidates.length > topK) {
    const threshold = Float64Array.from(scores).sort()[scores.length - topK];
    candidates = candidates.filter((i) => scores[i] >= threshold);
  }
  candidates.sort((i, j) => scores[j] - scores[i] || compareIds(ids[i], ids[j]));
  return candidates.slice(0, topK).map((i) => ({ id: ids[i], score: scores[i] }));
}

/** @throws {RangeError} if `topK` is neither a whole number from 1 nor `Infinity`. */
export function checkTopK(topK: number): void {
  if (topK >= 1 && (Number.isInteger(topK) || topK === Number.POSITIVE_INFINITY)) return;
  throw new RangeError(`topK is ${topK}: it must be a whole number from 1, or Infinity for all documents.`);
}

/** Python's order of strings, by code points; UTF-8 bytes sort the same way, JavaScript's UTF-16 units do not. */
function compareIds(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** Queries scored together, so that a document vector is read once for all of them. */
const BLOCK = 4;

/**
 * out[row, j] = a[first + row] · b[j] for 4 rows; four running sums hide the latency of an addition. Each sum runs over
 * the dimensions in order, so equal vectors get equal scores wherever they stand.
 */
function dotProducts({ data: x, rows, columns }: Matrix, first: number, b: Matrix, out: Float32Array): void {
  const { data: y, rows: count } = b;
  // A short last block repeats the last row.
  const [p0, p1, p2, p3] = [0, 1, 2, 3].map((row) => Math.min(first + row, rows - 1) * columns);
  for (let j = 0; j < count; j++) {
    const q = j * columns;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let d = 0; d < columns; d++) {
      const v = y[q + d];
      s0 += x[p0 + d] * v;
      s1 += x[p1 + d] * v;
      s2 += x[p2 + d] * v;
      s3 += x[p3 + d] * v;
    }
    out[j] = s0;
    out[count + j] = s1;
    out[2 * count + j] = s2;
    out[3 * count + j] = s3;
  }
}

function checkShapes(queries: Matrix, { vectors, owners }: Embeddings, documentIds: string[]): void {
  if (queries.columns !== vectors.columns) {
    throw new Error(
      `Query vectors have ${queries.columns} dimensions, document vectors ${vectors.columns}: take one model for both.`,
    );
  }
  const stray = owners.find((owner) => owner < 0 || owner >= documentIds.length);
  if (stray !== undefined) {
    throw new Error(`A vector belongs to document ${stray}, but there are ${documentIds.length} document ids.`);
  }
  checkNumbers(queries, (row) => `The vector of query ${row + 1} of ${queries.rows}`);
  checkNumbers(vectors, (row) => {
    const owner = owners[row];
    const rows = Array.from(owners.keys()).filter((other) => owners[other] === owner);
    const which = rows.length > 1 ? `Vector ${rows.indexOf(row) + 1} of ${rows.length}` : 'The vector';
    return `${which} of document "${documentIds[owner]}"`;
  });
}

/** @throws {Error} if a row, which `nameOf` names, holds NaN or infinity. */
export function checkNumbers({ data, columns }: Embeddings['vectors'], nameOf: (row: number) => string): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const name = nameOf(Math.floor(bad / columns));
    throw new Error(`${name} holds ${data[bad]}: the model that made it is broken (a training run that diverged?).`);
  }
}
