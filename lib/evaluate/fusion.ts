// In: rankings of the same queries, by a model's vectors and by BM25. Out: one ranking made of them.
import type { Embedder } from '../common/matrix';
import type { EmbeddingDataset } from '../dataset/dataset';
import { BM25_WINDOWS, rankByBm25 } from './bm25-index';
import { evaluateRanking } from './evaluation';
import { evaluateEmbedder } from './evaluator';
import { bestDocuments, RANKING_DEPTH, type RankedDocument, type Rankings } from './rankings';

/** Damps the weight of the first places: the paper's value. */
const RANK_OFFSET = 60;

/**
 * Reciprocal rank fusion (Cormack, Clarke & Büttcher, 2009): a document scores the sum of 1 / (60 + rank) over the
 * rankings that hold it. Uses ranks alone, so scores of any scale mix; has nothing to tune.
 *
 * @param systems two or more rankings of the same queries
 * @returns the best 100 documents for each query
 * @throws {Error} if the rankings are of different numbers of queries.
 */
export function reciprocalRankFusion(systems: Rankings[]): Rankings {
  return fuse(systems, RANKING_DEPTH, (_, place) => 1 / (RANK_OFFSET + place + 1));
}

/** Of the cosine, what a point of BM25 is worth where there is no training data to choose it on. */
export const FUSION_WEIGHT = 0.015;

/**
 * Linear combination: cosine + weight × BM25, as in Karpukhin et al. 2020, "Dense Passage Retrieval for Open-Domain
 * Question Answering", section 5. Where a model is searched in several ways, by words and by windows, their mean is the
 * cosine.
 *
 * Scores stay as they are: the convex combinations of Bruch, Gai & Ingber, 2023, "An Analysis of Fusion Functions
 * for Hybrid Retrieval", section 4, bring each query's best to 1, so that a query whose keywords match nothing well
 * counts as much as one whose keywords do.
 *
 * A document missing from a ranking counts as 0 there: pass rankings of all documents (`topK: Infinity`) where you can.
 *
 * @param models rankings by cosine similarity, one or more
 * @param options `bm25`: rankings by BM25; `weight` of a point of it (default 0.015): `tuneFusion` chooses it; `topK`
 *   documents to keep (100)
 * @throws {Error} if the rankings are of different numbers of queries.
 * @throws {RangeError} if the weight is negative.
 */
export function linearFusion(
  models: Rankings[],
  options: { bm25?: Rankings; weight?: number; topK?: number } = {},
): Rankings {
  const { bm25, weight = FUSION_WEIGHT, topK = RANKING_DEPTH } = options;
  if (!(weight >= 0)) throw new RangeError(`The fusion weight is ${weight}: it must be 0 or more.`);
  const worth = (system: number) => (system < models.length ? 1 / models.length : weight);
  return fuse(bm25 ? [...models, bm25] : models, topK, ({ score }, _, system) => worth(system) * score);
}

/**
 * The weight, among 0, 0.0025, …, 0.05, at which `linearFusion` does best by MAP@100. Choose with a model that was not
 * trained on these questions: one that was hardly needs keywords there. Of equally good weights the middle one is
 * taken: it is the least likely to fail on other questions.
 *
 * @returns the weight, and the metric at each weight (a curve to show)
 */
export function chooseFusionWeight(models: Rankings[], bm25: Rankings, dataset: EmbeddingDataset) {
  const curve = Array.from({ length: 21 }, (_, i) => {
    const weight = i / 400;
    return { weight, value: evaluateRanking(linearFusion(models, { bm25, weight }), dataset).metrics['MAP@100'] };
  });
  const highest = Math.max(...curve.map(({ value }) => value));
  const best = curve.filter(({ value }) => value === highest);
  return { weight: best[best.length >> 1].weight, curve };
}

/**
 * Chooses the weight of {@link linearFusion} for embedders (a model's, by words and by windows, say) and BM25 by
 * windows, as {@link chooseFusionWeight}, on `dataset`: a validation set, never the questions that are reported on.
 *
 * @param options `windowTemperature` as in `rankByVectors`
 */
export async function tuneFusion(
  embedders: Embedder[],
  dataset: EmbeddingDataset,
  options: { windowTemperature?: number } = {},
) {
  const models: Rankings[] = [];
  for (const embedder of embedders) models.push((await evaluateEmbedder(embedder, dataset, options)).rankings);
  const keywords = rankByBm25(dataset, { windows: BM25_WINDOWS, topK: Number.POSITIVE_INFINITY });
  return chooseFusionWeight(models, keywords, dataset);
}

/** Sums what each system's ranking gives a document: `worth(document, place from 0, system)`. */
function fuse(
  systems: Rankings[],
  topK: number,
  worth: (document: RankedDocument, place: number, system: number) => number,
): Rankings {
  const lengths = systems.map((rankings) => rankings.length);
  if (new Set(lengths).size !== 1) {
    throw new Error(`Rankings to fuse must answer the same queries, but they answer ${lengths.join(', ')} of them.`);
  }
  return systems[0].map((_, query) => {
    const sums = new Map<string, number>();
    systems.forEach((rankings, system) => {
      rankings[query].forEach((document, place) => {
        sums.set(document.id, (sums.get(document.id) ?? 0) + worth(document, place, system));
      });
    });
    return bestDocuments([...sums.keys()], [...sums.values()], topK);
  });
}
