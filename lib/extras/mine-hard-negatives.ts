// In: a dataset and a retriever's rankings of its corpus. Out: the dataset with hard negatives: for each query, chunks
// that rank high and yet don't answer it.
import type { EmbeddingDataset } from '../dataset';
import type { Rankings } from '../evaluate/rankings';

/**
 * Mines hard negatives with a margin that knows the positive's score (Moreira et al., 2024, "NV-Retriever", arXiv
 * 2407.15831, section 3): a candidate about as good as the answer is probably one, and would teach the wrong thing.
 * With several relevant chunks the lowest score counts; one that isn't ranked counts as the last, so that a margin
 * leaves no negative. Chunks with the text of a relevant one are never negatives.
 *
 * @param rankings one list a query, in the order of `Object.keys(dataset.queries)`; rank the whole corpus, or deeply
 * @param options named as in sentence-transformers' `mine_hard_negatives`; `perQuery`: negatives a query, at most (3 by
 *   default); `relativeMargin`: a negative's score is at most `positive − |positive| × relativeMargin`, 0.05 being
 *   NV-Retriever's best (TopK-PercPos at 95%); none by default
 * @returns the dataset with `hardNegatives`, at most `perQuery` a query; queries without any are not in it
 * @throws {Error} if there isn't one ranking a query, or an option is out of range.
 */
export function mineHardNegatives(
  dataset: EmbeddingDataset,
  rankings: Rankings,
  { perQuery = 3, relativeMargin }: { perQuery?: number; relativeMargin?: number } = {},
): { dataset: EmbeddingDataset } {
  const queryIds = Object.keys(dataset.queries);
  if (rankings.length !== queryIds.length)
    throw new Error(`There are ${queryIds.length} queries, but ${rankings.length} rankings: rank every query once.`);
  if (!Number.isInteger(perQuery) || perQuery < 1)
    throw new RangeError(`perQuery is ${perQuery}: it must be 1 or more.`);
  if (relativeMargin !== undefined && !(relativeMargin >= 0))
    throw new RangeError(`relativeMargin is ${relativeMargin}: it must be 0 or more.`);

  const hardNegatives: Record<string, string[]> = {};
  for (const [at, queryId] of queryIds.entries()) {
    const ranking = rankings[at];
    const relevant = new Set(dataset.relevantDocs[queryId]);
    const relevantTexts = new Set([...relevant].map((id) => dataset.corpus[id]));
    const scores = new Map(ranking.map(({ id, score }) => [id, score]));
    const last = ranking[ranking.length - 1]?.score ?? -Infinity;
    const positive = Math.min(...[...relevant].map((id) => scores.get(id) ?? last));
    const limit = relativeMargin === undefined ? Infinity : positive - Math.abs(positive) * relativeMargin;
    const candidates = ranking.filter(
      ({ id, score }) => score <= limit && !relevant.has(id) && !relevantTexts.has(dataset.corpus[id]),
    );
    if (candidates.length > 0) hardNegatives[queryId] = candidates.slice(0, perQuery).map(({ id }) => id);
  }
  return { dataset: { ...dataset, hardNegatives } };
}
