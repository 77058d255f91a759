// In: two rankings of the same queries, one by a model and one by BM25. Out: one ranking made of both.

import type { EmbeddingDataset } from '../dataset/dataset';
import { evaluateRanking } from './evaluation';
import type { MetricName } from './metrics';
import { bestDocuments, RANKING_DEPTH, type RankedDocument, type Rankings } from './rankings';

/**
 * Reciprocal rank fusion (Cormack, Clarke & Büttcher, 2009): a document scores the sum of 1 / (k + rank) over the
 * rankings that hold it. Uses ranks alone, so scores of any scale mix; has nothing to tune.
 *
 * @param systems two or more rankings of the same queries
 * @param options `k` damps the weight of the first places (default 60, the paper's); `topK` documents to keep (default 100)
 * @throws {Error} if the rankings are of different numbers of queries.
 */
export function reciprocalRankFusion(systems: Rankings[], options: { k?: number; topK?: number } = {}): Rankings {
  const { k = 60, topK = RANKING_DEPTH } = options;
  return fuse(systems, topK, (ranking) => ranking.map((_, i) => 1 / (k + i + 1)));
}

/** How scores are brought to [0, 1] before they are added. */
export type Normalisation = 'theoretical' | 'min-max';

/**
 * Convex combination (Bruch, Gai & Ingber, 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4):
 * weight × model + (1 − weight) × BM25, each normalised a query to (score − min) / (max − min).
 *
 * `theoretical` (their TM2C2) takes as min the least score possible, −1 for cosine and 0 for BM25, so that a query that
 * BM25 barely matches is not blown up; `min-max` takes the least score in the ranking. A document missing from a
 * ranking counts as 0 there: pass rankings of all documents (`topK: Infinity`) where you can.
 *
 * @param model rankings by cosine similarity
 * @param bm25 rankings by BM25
 * @param options `weight` of the model, 0 to 1: choose it on training data with `chooseFusionWeight`
 * @throws {Error} if the rankings are of different numbers of queries, or the weight is not between 0 and 1.
 */
export function convexFusion(
  model: Rankings,
  bm25: Rankings,
  options: { weight: number; normalisation?: Normalisation; topK?: number },
): Rankings {
  const { weight, normalisation = 'theoretical', topK = RANKING_DEPTH } = options;
  if (!(weight >= 0 && weight <= 1)) throw new Error(`The fusion weight is ${weight}: it must be between 0 and 1.`);
  const theoretical = normalisation === 'theoretical';
  return fuse([model, bm25], topK, (ranking, system) => {
    const share = system === 0 ? weight : 1 - weight;
    return normalise(ranking, theoretical ? [-1, 0][system] : undefined).map((score) => share * score);
  });
}

/**
 * The weight of the model, among 0, 0.05, …, 1, at which `convexFusion` does best. Choose on training data, never on the
 * questions that the fusion is reported on. Of equally good weights the middle one is taken: it is the least likely to fail on
 * other questions.
 *
 * @returns the weight, and the metric at each weight (a curve to show)
 * @throws {Error} as `convexFusion` and `evaluateRanking` do.
 */
export function chooseFusionWeight(
  model: Rankings,
  bm25: Rankings,
  dataset: EmbeddingDataset,
  options: { metric?: MetricName; normalisation?: Normalisation } = {},
): { weight: number; curve: { weight: number; value: number }[] } {
  const { metric = 'MAP@100', normalisation } = options;
  const curve = Array.from({ length: 21 }, (_, i) => {
    const weight = i / 20;
    const fused = convexFusion(model, bm25, { weight, normalisation });
    return { weight, value: evaluateRanking(fused, dataset).metrics[metric] };
  });
  const highest = Math.max(...curve.map(({ value }) => value));
  const best = curve.filter(({ value }) => value === highest);
  return { weight: best[best.length >> 1].weight, curve };
}

/** (score − min) / (max − min); all 0 where max = min. */
function normalise(ranking: RankedDocument[], theoreticalMin?: number): number[] {
  if (ranking.length === 0) return [];
  const max = ranking[0].score;
  const min = theoreticalMin ?? ranking[ranking.length - 1].score;
  return ranking.map(({ score }) => (max > min ? (score - min) / (max - min) : 0));
}

/** Sums each document's contributions over systems; `contributions(ranking, system)` are parallel to the ranking. */
function fuse(
  systems: Rankings[],
  topK: number,
  contributions: (ranking: RankedDocument[], system: number) => number[],
): Rankings {
  const lengths = systems.map((rankings) => rankings.length);
  if (new Set(lengths).size !== 1) {
    throw new Error(`Rankings to fuse must answer the same queries, but they answer ${lengths.join(', ')} of them.`);
  }
  return systems[0].map((_, query) => {
    const sums = new Map<string, number>();
    systems.forEach((rankings, system) => {
      const parts = contributions(rankings[query], system);
      rankings[query].forEach(({ id }, i) => {
        sums.set(id, (sums.get(id) ?? 0) + parts[i]);
      });
    });
    return bestDocuments([...sums.keys()], [...sums.values()], topK);
  });
}
