// In: an embedder and questions that nothing is reported on. Out: what a point of BM25 is worth beside it.
import type { Embedder } from '../common/matrix';
import type { EmbeddingDataset } from '../dataset/dataset';
import { BM25_WINDOWS, rankByBm25 } from './bm25-index';
import { evaluateEmbedder } from './evaluator';
import { chooseFusionWeight } from './fusion';

/**
 * Chooses the weight of `linearFusion` for an embedder and BM25 by windows, by MAP@100 on `dataset`: a validation set,
 * never the questions that the fusion is reported on.
 *
 * @param options `windowTemperature` as in `rankByVectors`
 * @returns the weight, and the metric at each weight (a curve to show)
 */
export async function tuneFusion(
  embedder: Embedder,
  dataset: EmbeddingDataset,
  options: { windowTemperature?: number } = {},
): Promise<{ weight: number; curve: { weight: number; value: number }[] }> {
  const { rankings } = await evaluateEmbedder(embedder, dataset, options);
  const keywords = rankByBm25(dataset, { windows: BM25_WINDOWS, topK: Number.POSITIVE_INFINITY });
  return chooseFusionWeight(rankings, keywords, dataset);
}
