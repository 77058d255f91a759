// In: rankings and the dataset they answer. Out: one evaluation: metrics, hit rate, and every query's own result; and
// where two of them differ.
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
function averaged(name: string, topK: number, perQuery: QueryResult[]): EvaluationResult {
  return {
    name,
    topK,
    hitRate: perQuery.filter(({ isHit }) => isHit).length / perQuery.length,
    metrics: meanMetrics(perQuery.map(({ metrics }) => metrics)),
    perQuery,
  };
}

/** One evaluation a group of queries (a type, a section, …), in the order in which groups first appear. */
export function groupResults(result: EvaluationResult, groupOf: (query: QueryResult) => string) {
  const groups = new Set(result.perQuery.map(groupOf));
  const membersOf = (group: string) => result.perQuery.filter((query) => groupOf(query) === group);
  return new Map([...groups].map((group) => [group, averaged(result.name, result.topK, membersOf(group))]));
}

/** Where one query's first relevant document stood before and after. */
export interface QueryChange {
  queryId: string;
  query: string;
  /** Rank of the first relevant document, 1 is best; null if it was not retrieved. */
  before: number | null;
  after: number | null;
  /** Text of the relevant document, the first if there are several. */
  expected: string;
  /** Text of the document ranked first after, where that is not a relevant one. */
  retrieved?: string;
}

/**
 * Every query's ranks in two evaluations, in the dataset's order: what the tables of queries won and lost are made of.
 * @param corpus the dataset's documents by id
 * @throws {Error} if the two evaluations are not of the same queries.
 */
export function queryChanges(
  before: EvaluationResult,
  after: EvaluationResult,
  corpus: Record<string, string>,
): QueryChange[] {
  checkSameQueries(before, after);
  return before.perQuery.map(({ queryId, query, rank, expected }, i) => {
    const now = after.perQuery[i];
    const retrieved = now.rank === 1 ? undefined : corpus[now.retrieved[0]];
    return { queryId, query, before: rank, after: now.rank, expected: corpus[expected[0]], retrieved };
  });
}

/** @throws {Error} if two evaluations are not of the same queries in the same order. */
export function checkSameQueries(before: EvaluationResult, after: EvaluationResult): void {
  const same =
    before.perQuery.length === after.perQuery.length &&
    before.perQuery.every(({ queryId }, i) => queryId === after.perQuery[i].queryId);
  if (!same) {
    throw new Error(
      `"${before.name}" and "${after.name}" were not asked the same queries: evaluate both on one dataset.`,
    );
  }
}
