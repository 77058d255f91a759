import { makeBatches, type TrainingBatch } from 'finetune-embedding';
import { describe, expect, it } from 'vitest';

/** `chunks` chunks with `each` questions; question i is about chunk ⌊i / each⌋. */
function dataOf(chunks: number, each: number) {
  const questions = Array.from({ length: chunks * each }, (_, i) => i);
  return {
    queries: Object.fromEntries(questions.map((i) => [`q${i}`, `question ${i}`])),
    corpus: Object.fromEntries(Array.from({ length: chunks }, (_, i) => [`c${i}`, `chunk ${i}`])),
    relevantDocs: Object.fromEntries(questions.map((i) => [`q${i}`, [`c${Math.floor(i / each)}`]])),
  };
}

/** The (question, chunk) pairs that a batch's targets say belong together. */
const pairsOf = ({ queryIds, chunkIds, columnChunks, targets }: TrainingBatch) =>
  queryIds.map((id, row) => [id, chunkIds[columnChunks[targets[row]]]]);

const truePairs = (data: ReturnType<typeof dataOf>) => Object.entries(data.relevantDocs).map(([q, [c]]) => [q, c]);

describe('file-order batches', () => {
  it('are the pairs in file order, each with a column of its own and each chunk encoded once', () => {
    const data = dataOf(12, 2);
    const batches = makeBatches(data, 'file-order', 10, 1, 0);
    expect(batches.map(({ queryIds }) => queryIds.length)).toEqual([10, 10, 4]);
    expect(batches.flatMap(pairsOf)).toEqual(truePairs(data));
    expect(batches[0]).toMatchObject({
      chunkIds: ['c0', 'c1', 'c2', 'c3', 'c4'],
      columnChunks: Int32Array.from([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
      columns: 10,
      targets: Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
      knownPositives: [],
    });
  });

  it('are the same in every epoch and with every seed', () => {
    const data = dataOf(7, 2);
    expect(makeBatches(data, 'file-order', 4, 1, 0)).toEqual(makeBatches(data, 'file-order', 4, 2, 3));
  });

  it('are one batch where BATCH_SIZE is beyond the data', () => {
    const batches = makeBatches(dataOf(3, 2), 'file-order', 1000, 1, 0);
    expect(batches.map(({ queryIds }) => queryIds.length)).toEqual([6]);
  });
});

describe('distinct-chunk batches', () => {
  it('hold each chunk once with all its questions, and every pair once an epoch', () => {
    const data = dataOf(40, 3);
    const batches = makeBatches(data, 'distinct-chunks', 16, 5, 0);
    expect(batches.map(({ chunkIds }) => chunkIds.length)).toEqual([16, 16, 8]);
    for (const batch of batches) {
      expect(new Set(batch.chunkIds).size).toBe(batch.chunkIds.length);
      expect(batch.columns).toBe(batch.chunkIds.length);
      expect(batch.queryIds.length).toBe(3 * batch.chunkIds.length);
    }
    expect(batches.flatMap(pairsOf).sort()).toEqual(truePairs(data).sort());
  });

  it('are shuffled by seed and epoch, and the same for the same two', () => {
    const order = (seed: number, epoch: number) =>
      makeBatches(dataOf(40, 1), 'distinct-chunks', 8, seed, epoch).flatMap(({ chunkIds }) => chunkIds);
    expect(order(1, 0)).toEqual(order(1, 0));
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
    expect(order(1, 0)).not.toEqual([...order(1, 0)].sort());
  });

  it('never count a known positive as a negative', () => {
    const data = dataOf(3, 1);
    data.relevantDocs.q0 = ['c0', 'c2'];
    const [batch] = makeBatches(data, 'distinct-chunks', 3, 1, 0);
    const row = batch.queryIds.indexOf('q0');
    expect(batch.knownPositives).toEqual([[row, batch.chunkIds.indexOf('c2')]]);
  });

  it('never leave a batch of one chunk, which has nothing to compare with', () => {
    for (const chunks of [2, 3, 5, 9, 17]) {
      for (const batchSize of [2, 4, 8, 100]) {
        const batches = makeBatches(dataOf(chunks, 2), 'distinct-chunks', batchSize, 1, 0);
        for (const { chunkIds } of batches) {
          expect(chunkIds.length).toBeGreaterThan(1);
          expect(new Set(chunkIds).size).toBe(chunkIds.length);
        }
      }
    }
  });
});
