// In: a dataset and a retriever's rankings of its corpus. Out: hard negatives: for each query, chunks that rank high
// and yet don't answer it; and batches with a column more for each of them.
import { contentId } from '../common/ids';
import type { EmbeddingDataset } from '../dataset/dataset';
import type { Rankings } from '../evaluate/rankings';
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

/**
 * Mines hard negatives with a margin that knows the positive's score (Moreira et al., 2024, "NV-Retriever", arXiv
 * 2407.15831, section 3): a candidate about as good as the answer is probably one, and would teach the wrong thing.
 * With several relevant chunks the lowest score counts; one that isn't ranked counts as the last, so that a margin
 * leaves no negative. Chunks with the text of a relevant one are never negatives.
 *
 * @param rankings one list a query, in the order of `Object.keys(dataset.queries)`; rank the whole corpus, or deeply
 * @param options named as in sentence-transformers' `mine_hard_negatives`; `perQuery`: negatives a query, at most (3 by
 *   default); `relativeMargin`: a negative's score is at most `positive − |positive| × relativeMargin`, 0.05 being
 *   NV-Retriever's best (TopK-PercPos at 95%); none by default
 * @returns the dataset with `hardNegatives`, at most `perQuery` a query; queries without any are not in it
 * @throws {Error} if there isn't one ranking a query, or an option is out of range.
 */
export function mineHardNegatives(
  dataset: EmbeddingDataset,
  rankings: Rankings,
  { perQuery = 3, relativeMargin }: { perQuery?: number; relativeMargin?: number } = {},
): { dataset: EmbeddingDataset } {
  const queryIds = Object.keys(dataset.queries);
  if (rankings.length !== queryIds.length)
    throw new Error(`There are ${queryIds.length} queries, but ${rankings.length} rankings: rank every query once.`);
  if (!Number.isInteger(perQuery) || perQuery < 1)
    throw new RangeError(`perQuery is ${perQuery}: it must be 1 or more.`);
  if (relativeMargin !== undefined && !(relativeMargin >= 0))
    throw new RangeError(`relativeMargin is ${relativeMargin}: it must be 0 or more.`);

  const hardNegatives: Record<string, string[]> = {};
  for (const [at, queryId] of queryIds.entries()) {
    const ranking = rankings[at];
    const relevant = new Set(dataset.relevantDocs[queryId]);
    const relevantTexts = new Set([...relevant].map((id) => dataset.corpus[id]));
    const scores = new Map(ranking.map(({ id, score }) => [id, score]));
    const last = ranking[ranking.length - 1]?.score ?? -Infinity;
    const positive = Math.min(...[...relevant].map((id) => scores.get(id) ?? last));
    const limit = relativeMargin === undefined ? Infinity : positive - Math.abs(positive) * relativeMargin;
    const candidates = ranking.filter(
      ({ id, score }) => score <= limit && !relevant.has(id) && !relevantTexts.has(dataset.corpus[id]),
    );
    if (candidates.length > 0) hardNegatives[queryId] = candidates.slice(0, perQuery).map(({ id }) => id);
  }
  return { dataset: { ...dataset, hardNegatives } };
}
