// Small matrices, datasets and folders for the tests of this stage.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddingDataset, Embeddings, Matrix, Rankings } from 'finetune-embedding';

export function matrix(rows: number[][]): Matrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, columns: rows[0].length };
}

/** One vector a document. */
export function single(rows: number[][]): Embeddings {
  return { vectors: matrix(rows), owners: Int32Array.from(rows.keys()) };
}

/** Rankings of given ids, with falling scores. */
export function ranked(...lists: string[][]): Rankings {
  return lists.map((list) => list.map((id, i) => ({ id, score: 1 - i / 100 })));
}

/** A dataset whose query i has the given relevant documents. */
export function dataset(documents: string[], ...relevant: string[][]): EmbeddingDataset {
  return {
    queries: Object.fromEntries(relevant.map((_, i) => [`q${i}`, `question ${i}`])),
    corpus: Object.fromEntries(documents.map((id) => [id, `text of ${id}`])),
    relevantDocs: Object.fromEntries(relevant.map((ids, i) => [`q${i}`, ids])),
  };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'evaluate-'));
}

/** Numbers as random as needed, the same in each run. */
export function randomRows(rows: number, columns: number, seed: number): number[][] {
  let state = seed;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  return Array.from({ length: rows }, () => Array.from({ length: columns }, next));
}
