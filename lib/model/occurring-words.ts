// In: a table of word embeddings, token ids. Out: the rows that occur, as a table of their own; the ids as its rows.
//
// Word embeddings are half of a small encoder's weights, nine tenths of a multilingual one's, and texts hold a part of
// all words: the whole table stays in its file.
import type { StoredTable } from './safetensors';
import { type tf, uploaded } from './tf';

export interface OccurringWords {
  /** [rows, hidden]; whoever asked for it frees it. */
  table: tf.Tensor;
  /** Token id → row of the table. */
  rowOf: Map<number, number>;
  /** Token ids → rows of the table. */
  rows(sequence: Int32Array): Int32Array;
}

/** @param words [vocabulary, hidden] */
export function occurringWords(words: StoredTable, sequences: Int32Array[]): OccurringWords {
  const occurring = new Set<number>();
  for (const sequence of sequences) for (const id of sequence) occurring.add(id);
  const ids = Int32Array.from(occurring).sort();
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  return {
    table: uploaded(words.rows(ids), [ids.length, words.shape[1]]),
    rowOf,
    rows: (sequence) => sequence.map((id) => rowOf.get(id)!),
  };
}
