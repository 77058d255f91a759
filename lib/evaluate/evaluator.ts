// In: an embedder and a dataset. Out: the evaluation, its rankings, and what the embedder costs in time and space.
import type { Embedder, Embeddings, OnProgress } from '../common/matrix';
import type { EmbeddingDataset } from '../dataset/dataset';
import { type EvaluationResult, evaluateRanking } from './evaluation';
import type { Metrics } from './metrics';
import { RANKING_DEPTH, type Rankings, rankByVectors, type Similarity } from './rankings';

/** An evaluation of an embedder. */
export interface EmbedderEvaluation extends EvaluationResult {
  /** Metrics by score function, as `writeMetricsCsv` takes them. */
  scores: Record<Similarity, Metrics>;
  /** All documents, best first, for each query: what fusion takes. */
  rankings: Rankings;
  /** The documents' vectors, for further questions. */
  documents: Embeddings;
  cost: EmbedderCost;
}

/** What a search with an embedder costs, as measured: texts whose vectors it has cached cost it next to nothing. */
export interface EmbedderCost {
  /** Seconds to embed all documents. */
  indexSeconds: number;
  /** Mean milliseconds a query: embedding (queries are embedded together) and exhaustive search. */
  queryMilliseconds: number;
  /** Vectors in the index, one or more a document. */
  vectors: number;
  /** Bytes of the index as 32-bit floats. */
  indexBytes: number;
}

/**
 * Embeds a dataset's queries and documents, ranks every document for every query, and measures.
 *
 * @param options `topK` of the hit rate (default 5); `similarity` that `metrics`, `hitRate` and `perQuery` are from
 *   (default cosine); `windowTemperature` as in `rankByVectors`; `onProgress` over queries and documents together
 * @throws {Error} as `rankByVectors` and `evaluateRanking` do, and whatever the embedder throws.
 */
export async function evaluateEmbedder(
  embedder: Embedder,
  dataset: EmbeddingDataset,
  options: { topK?: number; similarity?: Similarity; windowTemperature?: number; onProgress?: OnProgress } = {},
): Promise<EmbedderEvaluation> {
  const { topK = 5, similarity = 'cosine', windowTemperature, onProgress } = options;
  const queryTexts = Object.values(dataset.queries);
  const documentIds = Object.keys(dataset.corpus);
  const total = queryTexts.length + documentIds.length;

  const start = performance.now();
  const queries = await embedder.embedQueries(queryTexts, (done, of) =>
    onProgress?.(Math.round((done / of) * queryTexts.length), total),
  );
  const queriesDone = performance.now();
  const documents = await embedder.embedDocuments(Object.values(dataset.corpus), (done, of) =>
    onProgress?.(queryTexts.length + Math.round((done / of) * documentIds.length), total),
  );
  const documentsDone = performance.now();
  const rankings = rankByVectors(queries, documents, documentIds, {
    similarity,
    windowTemperature,
    topK: Number.POSITIVE_INFINITY,
  });
  const searchDone = performance.now();

  const result = evaluateRanking(rankings, dataset, { name: embedder.name, topK });
  const other: Similarity = similarity === 'cosine' ? 'dot' : 'cosine';
  const otherRankings = rankByVectors(queries, documents, documentIds, {
    similarity: other,
    windowTemperature,
    topK: RANKING_DEPTH,
  });
  const scores = {
    [similarity]: result.metrics,
    [other]: evaluateRanking(otherRankings, dataset).metrics,
  } as Record<Similarity, Metrics>;
  return {
    ...result,
    scores,
    rankings,
    documents,
    cost: {
      indexSeconds: (documentsDone - queriesDone) / 1000,
      queryMilliseconds: (queriesDone - start + searchDone - documentsDone) / queryTexts.length,
      vectors: documents.vectors.rows,
      indexBytes: documents.vectors.data.byteLength,
    },
  };
}
