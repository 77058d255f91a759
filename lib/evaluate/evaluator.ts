// In: an embedder and a dataset. Out: the evaluation, its rankings, and what the embedder costs in time and space.
import type { Embedder, Embeddings, OnProgress } from '../common/matrix';
import type { EmbeddingDataset } from '../dataset/dataset';
import { type EvaluationResult, evaluateRanking } from './evaluation';
import type { Metrics } from './metrics';
import { type Rankings, rankByVectors } from './rankings';
import type { Similarity } from './vector-scores';

/** An evaluation of an embedder. */
export interface EmbedderEvaluation extends EvaluationResult {
  /** Metrics by score function, as `writeMetricsCsv` takes them: cosine and dot product, or MaxSim by cosine. */
  scores: Record<string, Metrics>;
  /** All documents by cosine, best first, for each query: what fusion takes. */
  rankings: Rankings;
  /** The documents' vectors, for further questions. */
  documents: Embeddings;
  /** What a search costs, as measured: texts whose vectors an embedder has cached cost it next to nothing. */
  cost: {
    /** Seconds to embed all documents. */
    indexSeconds: number;
    /** Mean milliseconds a query: embedding (queries are embedded together) and exhaustive search. */
    queryMilliseconds: number;
    /** Vectors in the index, one or more a document. */
    vectors: number;
    /** Bytes of the index: 32-bit floats, 8-bit integers for words. */
    indexBytes: number;
  };
}

/**
 * Embeds a dataset's queries and documents, ranks every document for every query by cosine, and measures.
 *
 * @param options `topK` of the hit rate (default 5); `windowTemperature` as in `rankByVectors`; `onProgress` over
 *   queries and documents together
 * @throws {Error} as `rankByVectors` and `evaluateRanking` do, and whatever the embedder throws.
 */
export async function evaluateEmbedder(
  embedder: Embedder,
  dataset: EmbeddingDataset,
  options: { topK?: number; windowTemperature?: number; onProgress?: OnProgress } = {},
): Promise<EmbedderEvaluation> {
  const { topK, windowTemperature, onProgress } = options;
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
  const rank = (similarity: Similarity, depth?: number) =>
    rankByVectors(queries, documents, documentIds, { similarity, windowTemperature, topK: depth });
  const rankings = rank('cosine', Number.POSITIVE_INFINITY);
  const searchDone = performance.now();

  const result = evaluateRanking(rankings, dataset, { name: embedder.name, topK });
  return {
    ...result,
    scores: queries.owners
      ? { maxsim: result.metrics }
      : { cosine: result.metrics, dot: evaluateRanking(rank('dot'), dataset).metrics },
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
