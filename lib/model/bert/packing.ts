// Token sequences → one batch without padding: all tokens one after another, and groups of sequences that attend together.

/** Neighbouring sequences of (nearly) one length whose attention is computed as one batched matrix product. */
export interface AttentionGroup {
  /** First row of the group in the packed batch. */
  start: number;
  /** Rows of the group in the packed batch. */
  rows: number;
  /** Sequences in the group. */
  count: number;
  /** Length of the longest one. */
  length: number;
  /** Lengths of the sequences; all equal to `length` in most groups. */
  lengths: number[];
}

/** A batch as the encoder computes it: `tokens` rows, no padding, longest sequence first. */
export interface PackedBatch {
  tokens: number;
  sequences: number;
  /** `[tokens]` */
  tokenIds: Int32Array;
  /** `[tokens]`: 0, 1, 2, … within each sequence. */
  positionIds: Int32Array;
  /** Row of each sequence's first token, and its length, in the order the sequences were given. */
  starts: Int32Array;
  lengths: Int32Array;
  groups: AttentionGroup[];
}

/** Attention scores of one group stay near this many numbers (16 MB), so that they stay in a processor's cache. */
const MAX_GROUP_SCORES = 4_000_000;
/** Share of a group's scores that may belong to padding. */
const MAX_GROUP_PADDING = 0.2;

/**
 * Packs sequences into one batch.
 *
 * @param sequences token ids, one array a text; none empty
 * @param heads attention heads, for the size of a group's scores
 */
export function packSequences(sequences: ArrayLike<number>[], heads: number): PackedBatch {
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[b].length - sequences[a].length || a - b);
  const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
  const batch: PackedBatch = {
    tokens,
    sequences: sequences.length,
    tokenIds: new Int32Array(tokens),
    positionIds: new Int32Array(tokens),
    starts: new Int32Array(sequences.length),
    lengths: new Int32Array(sequences.length),
    groups: [],
  };
  let row = 0;
  let group: AttentionGroup | undefined;
  let squares = 0; // Scores in the group that belong to real tokens.
  for (const index of order) {
    const ids = sequences[index];
    batch.starts[index] = row;
    batch.lengths[index] = ids.length;
    batch.tokenIds.set(ids, row);
    for (let i = 0; i < ids.length; i++) batch.positionIds[row + i] = i;
    squares += ids.length ** 2;
    const scores = group ? (group.count + 1) * group.length ** 2 : 0;
    if (
      !group ||
      scores * heads > MAX_GROUP_SCORES ||
      (scores - squares > MAX_GROUP_PADDING * scores && ids.length > 64)
    ) {
      group = { start: row, rows: 0, count: 0, length: ids.length, lengths: [] };
      squares = ids.length ** 2;
      batch.groups.push(group);
    }
    group.count++;
    group.rows += ids.length;
    group.lengths.push(ids.length);
    row += ids.length;
  }
  return batch;
}
