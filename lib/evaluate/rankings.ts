// In: vectors of queries, and of documents (one or more each). Out: for each query, its best documents, best first.
import type { Embeddings, QueryVectors } from '../common/matrix';
import { type Similarity, vectorScores } from './vector-scores';

/** A document and its score for a query. */
export interface RankedDocument {
  id: string;
  score: number;
}

/** One list a query, in the order of the dataset's queries (`Object.keys(dataset.queries)`), best document first. */
export type Rankings = RankedDocument[][];

/** As deep as the deepest metric looks (MAP@100). */
export const RANKING_DEPTH = 100;

/**
 * Ranks documents for each query by {@link vectorScores}.
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
  const { similarity, topK = RANKING_DEPTH, windowTemperature: temperature } = options;
  const { vectors, owners } = documents;
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
  checkNumbers(vectors, (row) => `A vector of document "${documentIds[owners[row]]}"`);
  const scores = vectorScores(queries, documents, documentIds.length, { similarity, temperature });
  return scores.map((ofQuery) => bestDocuments(documentIds, ofQuery, topK));
}

/** The scores by which `rankByVectors` ranks, as a table: `result[i][j]` of question i and chunk j. */
export function similarityRows(queries: QueryVectors, chunks: Embeddings): number[][] {
  const count = chunks.owners.reduce((highest, owner) => Math.max(highest, owner + 1), 0);
  return vectorScores(queries, chunks, count).map((ofQuery) => [...ofQuery]);
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

/** Python's order of strings, by code points; JavaScript's is by UTF-16 units. */
function compareIds(a: string, b: string): number {
  const [x, y] = [a, b].map((id) => Array.from(id, (character) => character.codePointAt(0) as number));
  const at = x.findIndex((point, i) => point !== y[i]);
  return at < 0 ? x.length - y.length : x[at] - (y[at] ?? -1);
}

/** @throws {Error} if a row, which `nameOf` names, holds NaN or infinity. */
export function checkNumbers({ data, columns }: Embeddings['vectors'], nameOf: (row: number) => string): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const name = nameOf(Math.floor(bad / columns));
    throw new Error(`${name} holds ${data[bad]}: the model that made it is broken (a training run that diverged?).`);
  }
}
