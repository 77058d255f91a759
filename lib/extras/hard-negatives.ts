// A batch and its questions' explicit hard negatives → the batch with a column more for each of them.
import type { TrainingBatch, TrainingPairs } from '../train/batches';

/**
 * Appends hard negatives to a batch, as sentence-transformers does with (anchor, positive, negative_1, …, negative_n): each is a negative of
 * its question and of all other questions in the batch, except of those it is relevant to. Here a chunk that the batch already compares with is
 * not appended again, and is encoded once.
 *
 * Use it with chunks that look right and are not, such as those that BM25 or the base model rank high (Karpukhin et al. 2020, section 3.2).
 * Each costs the encoding of one more chunk a step.
 *
 * @param negatives ids of chunks by id of question; questions may lack
 * @throws Error if a negative is not in the corpus, or is one of its question's relevant chunks
 */
export function addHardNegatives(
  batch: TrainingBatch,
  negatives: Record<string, string[]>,
  data: TrainingPairs,
): TrainingBatch {
  const present = new Set(batch.chunkIds);
  const added = new Set<string>();
  for (const queryId of batch.queryIds) {
    for (const chunkId of negatives[queryId] ?? []) {
      if (!(chunkId in data.corpus))
        throw new Error(`Hard negative "${chunkId}" of question "${queryId}" is not in the corpus.`);
      if (data.relevantDocs[queryId].includes(chunkId))
        throw new Error(`Chunk "${chunkId}" is both relevant to question "${queryId}" and its hard negative.`);
      if (!present.has(chunkId)) added.add(chunkId);
    }
  }
  const knownPositives = [...batch.knownPositives];
  [...added].forEach((chunkId, i) => {
    batch.queryIds.forEach((queryId, row) => {
      if (data.relevantDocs[queryId].includes(chunkId)) knownPositives.push([row, batch.columns + i]);
    });
  });
  const newChunks = Array.from(added.keys(), (_, i) => batch.chunkIds.length + i);
  return {
    ...batch,
    chunkIds: [...batch.chunkIds, ...added],
    columnChunks: Int32Array.from([...batch.columnChunks, ...newChunks]),
    columns: batch.columns + added.size,
    knownPositives,
  };
}
