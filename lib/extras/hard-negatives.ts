// In: a batch and its questions' explicit hard negatives. Out: the batch with a column more for each of them.
import { contentId } from '../common/ids';
import type { EmbeddingDataset } from '../dataset/dataset';
import type { TrainingBatch, TrainingPairs } from '../train/batches';
import type { Variant } from '../train/learner';

/**
 * Trains with the dataset's hard negatives, by {@link addHardNegatives}.
 *
 * Use it with chunks that look right and are not, such as those that BM25 or the base model rank high (Karpukhin et al.
 * 2020, section 3.2): `mineHardNegatives` finds some. Each costs the encoding of one more chunk a step. On the sample
 * they gained nothing.
 *
 * @throws Error if the dataset has none; in training, as {@link addHardNegatives}
 */
export function hardNegatives(data: EmbeddingDataset): Variant {
  const { hardNegatives: negatives = {} } = data;
  if (Object.keys(negatives).length === 0)
    throw new Error('The dataset has no hard negatives; extras.mineHardNegatives(dataset, rankings) finds some.');
  return (method) => ({
    ...method,
    name: `${method.name}, hard negatives ${contentId(negatives)}`,
    prepareBatch: (batch) => addHardNegatives(method.prepareBatch(batch), negatives, data),
  });
}

/**
 * Appends hard negatives to a batch, as sentence-transformers does with (anchor, positive, negative_1, …, negative_n):
 * each is a negative of its question and of all other questions in the batch, except of those it is relevant to. Here a
 * chunk that the batch already compares with is not appended again, and is encoded once.
 *
 * @param negatives ids of chunks by id of question; questions may lack
 * @throws Error if a negative is not in the corpus, or is one of its question's relevant chunks
 */
export function addHardNegatives(batch: TrainingBatch, negatives: Record<string, string[]>, data: TrainingPairs) {
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
