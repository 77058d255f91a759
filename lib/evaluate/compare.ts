// In: evaluations. Out: where they differ: by group of queries, and query by query.
import { averaged, type EvaluationResult, type QueryResult } from './evaluation';
import { checkSameQueries } from './significance';

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
