// In: a dataset. Out: the batches of an epoch: which texts are encoded together, and what the loss compares.

import { seededRandom } from '../common/random';
import type { LossBatch } from './ranking-loss';

/** The part of a dataset that training reads. */
export interface TrainingPairs {
  queries: Record<string, string>;
  corpus: Record<string, string>;
  relevantDocs: Record<string, string[]>;
}

/** One training batch: ids, and the loss's view of them. */
export interface TrainingBatch extends LossBatch {
  queryIds: string[];
  /** Distinct chunks, each encoded once. */
  chunkIds: string[];
  /** For each column of the loss, the index in `chunkIds` of its chunk. */
  columnChunks: Int32Array;
}

/** How batches are made: `file-order` pairs as the original's, or `distinct-chunks` with all their questions. */
export type Batching = 'file-order' | 'distinct-chunks';

/** Fisher–Yates; the input stays as it is. */
function shuffled<T>(items: T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** Consecutive parts of so many items; the last may be smaller. */
const partsOf = <T>(items: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

/**
 * Pairs in file order, `batchSize` a batch, as a sentence-transformers DataLoader without shuffling gives them. Each
 * pair has a column of its own even where two share a chunk; the chunk is encoded once, which gives the same loss.
 */
function fileOrderBatches(data: TrainingPairs, batchSize: number): TrainingBatch[] {
  const pairs = Object.keys(data.queries).map((queryId) => ({ queryId, chunkId: data.relevantDocs[queryId][0] }));
  return partsOf(pairs, batchSize).map((part) => {
    const chunkIds = [...new Set(part.map(({ chunkId }) => chunkId))];
    return {
      queryIds: part.map(({ queryId }) => queryId),
      chunkIds,
      columnChunks: Int32Array.from(part, ({ chunkId }) => chunkIds.indexOf(chunkId)),
      columns: part.length,
      targets: Int32Array.from(part.keys()),
      knownPositives: [],
    };
  });
}

/** Shuffled batches of `batchSize` distinct chunks with all their questions; known positives are no negatives. */
function distinctChunkBatches(data: TrainingPairs, batchSize: number, random: () => number): TrainingBatch[] {
  const questionsOf = new Map<string, string[]>();
  for (const queryId of Object.keys(data.queries)) {
    const chunkId = data.relevantDocs[queryId][0];
    questionsOf.set(chunkId, [...(questionsOf.get(chunkId) ?? []), queryId]);
  }
  const chunks = shuffled([...questionsOf.keys()], random);
  return partsOf(chunks, batchSize).map((chunkIds) => {
    // A last batch of one chunk would have nothing to compare with: it takes company from the front.
    if (chunkIds.length === 1 && chunks.length > 1)
      chunkIds.push(...chunks.slice(0, Math.min(batchSize, chunks.length) - 1));
    const columnOf = new Map(chunkIds.map((chunkId, column) => [chunkId, column]));
    const queryIds: string[] = [];
    const targets: number[] = [];
    const knownPositives: [number, number][] = [];
    chunkIds.forEach((chunkId, column) => {
      for (const queryId of questionsOf.get(chunkId)!) {
        const row = queryIds.push(queryId) - 1;
        targets.push(column);
        for (const other of data.relevantDocs[queryId].slice(1)) {
          const otherColumn = columnOf.get(other);
          if (otherColumn !== undefined) knownPositives.push([row, otherColumn]);
        }
      }
    });
    return {
      queryIds,
      chunkIds,
      columnChunks: Int32Array.from(chunkIds.keys()),
      columns: chunkIds.length,
      targets: Int32Array.from(targets),
      knownPositives,
    };
  });
}

/**
 * The batches of one epoch.
 *
 * @param batchSize pairs a batch (`file-order`) or distinct chunks a batch (`distinct-chunks`)
 * @param epoch counts from 0; each epoch is shuffled anew from the seed
 */
export function makeBatches(data: TrainingPairs, batching: Batching, batchSize: number, seed: number, epoch: number) {
  return batching === 'file-order'
    ? fileOrderBatches(data, batchSize)
    : distinctChunkBatches(data, batchSize, seededRandom(seed * 1000 + epoch));
}

/** @throws Error naming the query whose chunk is missing, and if the loss would have nothing to compare */
export function checkPairs({ queries, corpus, relevantDocs }: TrainingPairs): void {
  const queryIds = Object.keys(queries);
  for (const queryId of queryIds) {
    const chunkIds = relevantDocs[queryId] ?? [];
    if (chunkIds.length === 0) throw new Error(`Query ${queryId} has no relevant document to train on.`);
    const unknown = chunkIds.find((id) => corpus[id] === undefined);
    if (unknown !== undefined)
      throw new Error(`Query ${queryId} refers to document ${unknown}, which the corpus lacks.`);
  }
  const chunks = new Set(queryIds.map((id) => relevantDocs[id][0]));
  if (chunks.size >= 2) return;
  throw new Error(
    `The training data has questions about fewer than 2 chunks (${chunks.size}); ` +
      'the loss compares chunks with each other and needs at least 2.',
  );
}
