// In: a dataset, and how well an untrained retriever finds each question's chunk. Out: the questions that it finds.
import type { EmbeddingDataset } from './dataset';

/**
 * Round-trip consistency: keeps a question only if the retriever ranks its chunk among the first `topN`; one that does
 * not lead back to its chunk is vague, or about something else (Alberti et al. 2019; Dai et al. 2022, Promptagator,
 * section 3.2). The corpus stays whole.
 * @param ranks Query id → rank of its best relevant chunk, counted from 1; a missing one was not found.
 * @returns the dataset, and the ids of the dropped queries.
 */
export function keepConsistent(
  dataset: EmbeddingDataset,
  ranks: ReadonlyMap<string, number>,
  topN: number,
): { dataset: EmbeddingDataset; dropped: string[] } {
  const kept: EmbeddingDataset = { ...dataset, queries: {}, relevantDocs: {} };
  if (dataset.hardNegatives) kept.hardNegatives = {};
  const dropped: string[] = [];
  for (const [id, query] of Object.entries(dataset.queries)) {
    if ((ranks.get(id) ?? Number.POSITIVE_INFINITY) <= topN) {
      kept.queries[id] = query;
      kept.relevantDocs[id] = dataset.relevantDocs[id];
      const negatives = dataset.hardNegatives?.[id];
      if (negatives) kept.hardNegatives![id] = negatives;
    } else dropped.push(id);
  }
  return { dataset: kept, dropped };
}
