// In: token sequences. Out: one batch without padding: all tokens in a row, in groups that attend together.

/** Neighbouring sequences of (nearly) one length whose attention is computed as one batched matrix product. */
export interface AttentionGroup {
  /** First row of the group in the packed batch. */
  start: number;
  /** Rows of the group in the packed batch. */
  rows: number;
  /** Length of the longest one; in a ragged group, more. */
  length: number;
  /** Lengths of the sequences, all equal to `length` in most groups; and of those that fill the others up: 0. */
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

/** Tokens encoded at a time: enough for full-speed products, few enough that what lies between them is small. */
export const TOKENS_AT_A_TIME = 3072;

/** Sequences up to this length share groups whatever their padding, which costs less than more groups. */
const SHORT = 64;
/** Up to this length, sequences of different lengths may share a group; longer ones attend quicker without padding. */
const MAX_PADDED_LENGTH = 256;
/** Share of such a group's scores that may belong to padding. */
const MAX_PADDING = 0.2;

/** Whether a group's sequences have several lengths. */
export const isRagged = (group: AttentionGroup) => group.rows < group.lengths.length * group.length;

/**
 * Lengths and numbers of sequences of ragged groups become multiples of these: for each shape that it meets, oneDNN
 * keeps programs of 2 MB, up to 1,000 of them. Uniform groups stay as they are: padding would take longer.
 */
const FILLED_UP = { length: 16, sequences: 4 };

function fillUp(group: AttentionGroup): void {
  if (!isRagged(group)) return;
  group.length = FILLED_UP.length * Math.ceil(group.length / FILLED_UP.length);
  while (group.lengths.length % FILLED_UP.sequences) group.lengths.push(0);
}

/** Whether a sequence of `length`, not longer than the group's, may join it. */
function fits({ lengths, length: longest }: AttentionGroup, length: number): boolean {
  if (length === longest || longest <= SHORT) return true;
  const isUniform = lengths.length > 1 && lengths.at(-1) === longest; // which spares it a mask
  if (isUniform || longest > MAX_PADDED_LENGTH) return false;
  const filled = [...lengths, length].reduce((sum, own) => sum + own ** 2, 0);
  return filled >= (1 - MAX_PADDING) * (lengths.length + 1) * longest ** 2;
}

/** Indices of sequences, longest first. */
const longestFirst = (sequences: ArrayLike<number>[]): number[] =>
  sequences.map((_, i) => i).sort((a, b) => sequences[b].length - sequences[a].length);

/**
 * Indices of sequences, longest first, in batches of at most `maxTokens`; one sequence may exceed it.
 * @param isPadded whether a sequence counts as the longest of its batch
 */
export function batchesByTokens(sequences: ArrayLike<number>[], maxTokens: number, isPadded = false): number[][] {
  const batches: number[][] = [];
  let tokens = Number.POSITIVE_INFINITY;
  let longest = 0;
  for (const index of longestFirst(sequences)) {
    tokens += isPadded ? longest : sequences[index].length;
    if (tokens > maxTokens) {
      batches.push([]);
      tokens = longest = sequences[index].length;
    }
    batches[batches.length - 1].push(index);
  }
  return batches;
}

/**
 * Packs sequences into one batch.
 *
 * @param sequences token ids, one array a text; none empty
 */
export function packSequences(sequences: ArrayLike<number>[]): PackedBatch {
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
  for (const index of longestFirst(sequences)) {
    const ids = sequences[index];
    batch.starts[index] = row;
    batch.lengths[index] = ids.length;
    batch.tokenIds.set(ids, row);
    for (let i = 0; i < ids.length; i++) batch.positionIds[row + i] = i;
    if (!group || !fits(group, ids.length)) {
      group = { start: row, rows: 0, length: ids.length, lengths: [] };
      batch.groups.push(group);
    }
    group.rows += ids.length;
    group.lengths.push(ids.length);
    row += ids.length;
  }
  batch.groups.forEach(fillUp);
  return batch;
}
