// A batch → the same batch in which no right answer counts as a negative: relevant chunks, and copies of them under other ids.
import type { TrainingBatch, TrainingPairs } from '../train/batches';

/** Two texts count as one if they differ in white space at most. */
const keyOf = (text: string): string => text.trim().replace(/\s+/g, ' ');

/**
 * Finds every column of a batch that is known to answer a question: it is one of the question's relevant chunks, or has the text of one, or
 * is relevant to a question of the same wording.
 *
 * Use it with any batching where a document repeats itself, or where pairs in file order put two questions of a chunk beside each other:
 * sentence-transformers avoids such batches (its NO_DUPLICATES sampler); here the batch stays, and the copies are masked.
 *
 * @returns for each batch the same batch with these columns among its known positives
 */
export function createKnownPositives(data: TrainingPairs): (batch: TrainingBatch) => TrainingBatch {
  const answersTo = new Map<string, Set<string>>(); // wording of a question → texts of all its chunks
  for (const [queryId, question] of Object.entries(data.queries)) {
    const key = keyOf(question);
    const answers = answersTo.get(key) ?? new Set();
    for (const chunkId of data.relevantDocs[queryId]) answers.add(keyOf(data.corpus[chunkId]));
    answersTo.set(key, answers);
  }
  return (batch) => {
    const columnTexts = Array.from(batch.columnChunks, (chunk) => keyOf(data.corpus[batch.chunkIds[chunk]]));
    const knownPositives: TrainingBatch['knownPositives'] = [];
    batch.queryIds.forEach((queryId, row) => {
      const answers = answersTo.get(keyOf(data.queries[queryId]))!;
      columnTexts.forEach((text, column) => {
        if (column !== batch.targets[row] && answers.has(text)) knownPositives.push([row, column]);
      });
    });
    return { ...batch, knownPositives };
  };
}
