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
 * @param options `k` damps the weight of the first places (default 60, the paper's); `topK` documents to keep (100)
 * @throws {Error} if the rankings are of different numbers of queries.
 */
export function reciprocalRankFusion(systems: Rankings[], options: { k?: number; topK?: number } = {}): Rankings {
  const { k = 60, topK = RANKING_DEPTH } = options;
  return fuse(systems, topK, (ranking) => ranking.map((_, i) => 1 / (k + i + 1)));
}

/** Of the cosine, what a point of BM25 is worth where there is no training data to choose it on. */
export const FUSION_WEIGHT = 0.015;

/**
 * Linear combination: cosine + weight × BM25, as in Karpukhin et al. 2020, "Dense Passage Retrieval for Open-Domain
 * Question Answering", section 5. But for a factor it is the convex sum with shares 1 / (1 + weight) and
 * weight / (1 + weight).
 *
 * Both scores stay as they are: the convex combinations of Bruch, Gai & Ingber, 2023, "An Analysis of Fusion Functions
 * for Hybrid Retrieval", section 4, bring each query's best to 1, so that a query whose keywords match nothing well
 * counts as much as one whose keywords do.
 *
 * A document missing from a ranking counts as 0 there: pass rankings of all documents (`topK: Infinity`) where you can.
 *
 * @param model rankings by cosine similarity
 * @param bm25 rankings by BM25
 * @param options `weight` of a point of BM25 (default {@link FUSION_WEIGHT}): choose it on training data with
 *   `chooseFusionWeight`
 * @throws {Error} if the rankings are of different numbers of queries.
 * @throws {RangeError} if the weight is negative.
 */
export function linearFusion(
  model: Rankings,
  bm25: Rankings,
  options: { weight?: number; topK?: number } = {},
): Rankings {
  const { weight = FUSION_WEIGHT, topK = RANKING_DEPTH } = options;
  if (!(weight >= 0)) throw new RangeError(`The fusion weight is ${weight}: it must be 0 or more.`);
  return fuse([model, bm25], topK, (ranking, system) =>
    ranking.map(({ score }) => (system === 0 ? 1 : weight) * score),
  );
}

/**
 * The weight, among 0, 0.0025, …, 0.05, at which `linearFusion` does best. Choose on training data, never on the
 * questions that the fusion is reported on, and with a model that was not trained on those questions: one that was
 * hardly needs keywords there. Of equally good weights the middle one is taken: it is the least likely to fail on other
 * questions.
 *
 * @returns the weight, and the metric at each weight (a curve to show)
 * @throws {Error} as `linearFusion` and `evaluateRanking` do.
 */
export function chooseFusionWeight(
  model: Rankings,
  bm25: Rankings,
  dataset: EmbeddingDataset,
  metric: MetricName = 'MAP@100',
): { weight: number; curve: { weight: number; value: number }[] } {
  const curve = Array.from({ length: 21 }, (_, i) => {
    const weight = i / 400;
    return { weight, value: evaluateRanking(linearFusion(model, bm25, { weight }), dataset).metrics[metric] };
  });
  const highest = Math.max(...curve.map(({ value }) => value));
  const best = curve.filter(({ value }) => value === highest);
  return { weight: best[best.length >> 1].weight, curve };
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
