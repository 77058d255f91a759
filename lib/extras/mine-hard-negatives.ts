// In: a dataset and a retriever's rankings of its corpus. Out: the dataset with hard negatives: for each query, chunks
// that rank high and yet don't answer it.

import type { EmbeddingDataset } from '../dataset';
import type { Rankings } from '../evaluate/rankings';

/** How hard negatives are chosen; names and meaning as in sentence-transformers' `mine_hard_negatives`. */
export interface HardNegativeOptions {
  /** Negatives a query, at most; 3 by default. */
  perQuery?: number;
  /**
   * A negative's score must be this share of the positive's below it: at most `positive − |positive| × relativeMargin`.
   * 0.05 is NV-Retriever's best (TopK-PercPos at 95%). None by default.
   */
  relativeMargin?: number;
  /** A negative's score must be this much below the positive's. None by default. */
  absoluteMargin?: number;
  /** A negative's score must not be above this. None by default. */
  maxScore?: number;
  /** Skips this many of the best candidates left, which may be answers nobody marked; 0 by default. */
  rangeMin?: number;
  /** Looks only at the first so many ranks; all by default. */
  rangeMax?: number;
}

/** What was mined, and what was left out. */
export interface MinedNegatives {
  /** The dataset with `hardNegatives`; queries without any are not in it. */
  dataset: EmbeddingDataset;
  /** Negatives in all. */
  mined: number;
  /** Ids of the queries with fewer than `perQuery`. */
  underFilled: string[];
  /** Candidates that are too near to the positive's score, or above `maxScore`: answers perhaps that nobody marked. */
  tooClose: number;
}

/**
 * Mines hard negatives with a margin that knows the positive's score (Moreira et al., 2024, "NV-Retriever", arXiv
 * 2407.15831, section 3): a candidate about as good as the answer is probably one, and would teach the wrong thing.
 * With several relevant chunks the lowest score counts; one that isn't ranked counts as the last, so that a margin
 * leaves no negative. Chunks with the text of a relevant one are never negatives.
 *
 * @param rankings one list a query, in the order of `Object.keys(dataset.queries)`; rank the whole corpus, or deeply
 * @throws {Error} if there isn't one ranking a query, an option is out of range, or a ranked chunk isn't in the corpus.
 */
export function mineHardNegatives(
  dataset: EmbeddingDataset,
  rankings: Rankings,
  options: HardNegativeOptions = {},
): MinedNegatives {
  const {
    perQuery = 3,
    relativeMargin,
    absoluteMargin,
    maxScore = Infinity,
    rangeMin = 0,
    rangeMax = Infinity,
  } = options;
  const queryIds = Object.keys(dataset.queries);
  if (rankings.length !== queryIds.length)
    throw new Error(`There are ${queryIds.length} queries, but ${rankings.length} rankings: rank every query once.`);
  if (!Number.isInteger(perQuery) || perQuery < 1)
    throw new RangeError(`perQuery is ${perQuery}: it must be 1 or more.`);
  if (!(rangeMin >= 0 && rangeMax > rangeMin))
    throw new RangeError(`rangeMin is ${rangeMin} and rangeMax ${rangeMax}: 0 ≤ rangeMin < rangeMax is needed.`);
  for (const [name, margin] of Object.entries({ relativeMargin, absoluteMargin }))
    if (margin !== undefined && !(margin >= 0)) throw new RangeError(`${name} is ${margin}: it must be 0 or more.`);

  const hardNegatives: Record<string, string[]> = {};
  const underFilled: string[] = [];
  let mined = 0;
  let tooClose = 0;
  for (const [at, queryId] of queryIds.entries()) {
    const ranking = rankings[at];
    const relevant = new Set(dataset.relevantDocs[queryId]);
    const relevantTexts = new Set([...relevant].map((id) => dataset.corpus[id]));
    const scores = new Map(ranking.map(({ id, score }) => [id, score]));
    const last = ranking[ranking.length - 1]?.score ?? -Infinity;
    const positive = Math.min(...[...relevant].map((id) => scores.get(id) ?? last));
    const limit = Math.min(
      maxScore,
      relativeMargin === undefined ? Infinity : positive - Math.abs(positive) * relativeMargin,
      absoluteMargin === undefined ? Infinity : positive - absoluteMargin,
    );
    const candidates = ranking.slice(0, rangeMax).filter(({ id }) => {
      if (!Object.hasOwn(dataset.corpus, id))
        throw new Error(`The ranking of query ${queryId} holds chunk ${id}, which is not in the corpus.`);
      return !relevant.has(id) && !relevantTexts.has(dataset.corpus[id]);
    });
    const distant = candidates.filter(({ score }) => score <= limit);
    tooClose += candidates.length - distant.length;
    const chosen = distant.slice(rangeMin, rangeMin + perQuery).map(({ id }) => id);
    if (chosen.length > 0) hardNegatives[queryId] = chosen;
    if (chosen.length < perQuery) underFilled.push(queryId);
    mined += chosen.length;
  }
  return { dataset: { ...dataset, hardNegatives }, mined, underFilled, tooClose };
}
