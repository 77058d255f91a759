// In: rankings and the dataset they answer. Out: one evaluation: metrics, hit rate, and every query's own result.
import type { EmbeddingDataset } from '../dataset/dataset';
import { type Metrics, meanMetrics, queryMetrics } from './metrics';
import { checkTopK, type Rankings } from './rankings';

/** How one query fared. */
export interface QueryResult {
  queryId: string;
  query: string;
  /** Ids of the relevant documents. */
  expected: string[];
  /** Ids of the first `topK` documents, best first. */
  retrieved: string[];
  /** 1 for the first place; null if no relevant document is in the ranking. */
  rank: number | null;
  isHit: boolean;
  metrics: Metrics;
}

/** How an embedder (or BM25, or a fusion) did on a dataset. */
export interface EvaluationResult {
  name: string;
  /** How many documents a reader would be shown: the k of the hit rate. */
  topK: number;
  /** Share of queries with a relevant document among the first `topK`, 0 to 1. */
  hitRate: number;
  /** Means over queries, under the names of sentence-transformers' CSV. */
  metrics: Metrics;
  perQuery: QueryResult[];
}

/**
 * Measures rankings against a dataset. Queries without relevant documents are left out, as in
 * sentence-transformers' InformationRetrievalEvaluator.
 *
 * @param rankings one list a query, in the order of `Object.keys(dataset.queries)`
 * @param options `name` for tables and files; `topK` of the hit rate (default 5)
 * @throws {Error} if there is not one ranking a query, or no query has a relevant document.
 * @throws {RangeError} if `topK` is neither a whole number from 1 nor `Infinity`.
 */
export function evaluateRanking(
  rankings: Rankings,
  dataset: EmbeddingDataset,
  options: { name?: string; topK?: number } = {},
): EvaluationResult {
  const { name = '', topK = 5 } = options;
  checkTopK(topK);
  const queryIds = Object.keys(dataset.queries);
  if (rankings.length !== queryIds.length) {
    throw new Error(
      `${rankings.length} rankings for ${queryIds.length} queries: pass one a query, in the dataset's order.`,
    );
  }
  const perQuery: QueryResult[] = [];
  queryIds.forEach((queryId, i) => {
    const relevant = new Set(dataset.relevantDocs[queryId]);
    if (relevant.size === 0) return;
    const first = rankings[i].findIndex(({ id }) => relevant.has(id));
    perQuery.push({
      queryId,
      query: dataset.queries[queryId],
      expected: [...relevant],
      retrieved: rankings[i].slice(0, topK).map(({ id }) => id),
      rank: first < 0 ? null : first + 1,
      isHit: first >= 0 && first < topK,
      metrics: queryMetrics(rankings[i], relevant),
    });
  });
  return averaged(name, topK, perQuery);
}

/** The evaluation that these queries make. */
export function averaged(name: string, topK: number, perQuery: QueryResult[]): EvaluationResult {
  return {
    name,
    topK,
    hitRate: perQuery.filter(({ isHit }) => isHit).length / perQuery.length,
    metrics: meanMetrics(perQuery.map(({ metrics }) => metrics)),
    perQuery,
  };
}
