// In: Q, K and V of a packed batch. Out: multi-head self-attention (Vaswani et al. 2017, eq. 1) within each sequence,
// and its gradient.
//
//   P  = softmax(Q·Kᵀ/√d),  O = P·V
//   dV = Pᵀ·dO
//   dS = P ∘ (dO·Vᵀ − D)   with D = rowsum(dO ∘ O)
// P is computed again for the gradient: of size [length, length] a head, it is dearer to keep than to make.

import type { RotaryLayer } from '../config';
import { evenSizes, joined, pieces, product, softmax, tf, tidy } from '../tf';
import { hidingFar, hidingPadding, tokenMask } from './attention-mask';
import type { Dropout } from './dropout';
import { type AttentionGroup, isRagged } from './packing';
import { relativeBias, relativeBiasGradient } from './relative-position';
import { rotation } from './rotary';

/** Heads are worked off in blocks whose scores, at most so many numbers (6 MB), stay in a processor's cache. */
const MAX_BLOCK_SCORES = 1_600_000;

/** What attention differs in from layer to layer and from model to model. */
export interface AttentionSettings {
  dropout?: Dropout;
  /** What distance adds to the scores, in MPNet: [buckets, heads] */
  table?: tf.Tensor2D;
  /** How queries and keys turn by position, and how far tokens attend, in ModernBERT. */
  rotary?: RotaryLayer;
}

/** What the gradient needs of one group; B = sequences · heads. */
export interface AttentionSaved {
  /** Q and K, turned where they are, and V: [B, length, d] */
  q: tf.Tensor3D;
  k: tf.Tensor3D;
  v: tf.Tensor3D;
}

/** Where each packed row stands in a padded layout, sequence after sequence. */
function packedRows({ lengths, length, rows }: AttentionGroup): Int32Array {
  const places = new Int32Array(rows);
  let row = 0;
  lengths.forEach((own, s) => {
    for (let i = 0; i < own; i++) places[row++] = s * length + i;
  });
  return places;
}

/** The inverse: rows to take for a padded layout; padding repeats the group's first row. */
function paddedRows(group: AttentionGroup): Int32Array {
  const rows = new Int32Array(group.lengths.length * group.length);
  packedRows(group).forEach((place, row) => {
    rows[place] = row;
  });
  return rows;
}

/** [rows, parts · hidden] → [parts · B, length, d] */
function splitHeads(x: tf.Tensor2D, parts: number, heads: number, group: AttentionGroup): tf.Tensor3D {
  const d = x.shape[1] / parts / heads;
  const padded = isRagged(group) ? tf.gather(x, tf.tensor1d(paddedRows(group), 'int32')) : x;
  return padded
    .reshape([group.lengths.length, group.length, parts, heads, d])
    .transpose([2, 0, 3, 1, 4])
    .reshape([parts * group.lengths.length * heads, group.length, d]) as tf.Tensor3D;
}

/** [parts · B, length, d] → [rows, parts · hidden] */
function mergeHeads(x: tf.Tensor3D, parts: number, heads: number, group: AttentionGroup): tf.Tensor2D {
  const [, length, d] = x.shape;
  const merged = x
    .reshape([parts, group.lengths.length, heads, length, d])
    .transpose([1, 3, 0, 2, 4])
    .reshape([group.lengths.length * length, parts * heads * d]) as tf.Tensor2D;
  return isRagged(group) ? (tf.gather(merged, tf.tensor1d(packedRows(group), 'int32')) as tf.Tensor2D) : merged;
}

/** Sizes of the blocks that a group's heads, B of `length` tokens, are worked off in. */
const blockSizes = (B: number, length: number) => evenSizes(B, Math.max(1, Math.floor(MAX_BLOCK_SCORES / length ** 2)));

/** What distance adds to each block's scores; B runs over the heads of one sequence after another. */
function blockBiases(table: tf.Tensor2D, length: number, sizes: number[], heads: number) {
  const bias = relativeBias(table, length); // [heads, length, length]
  const B = sizes.reduce((sum, size) => sum + size, 0);
  const headOf = Int32Array.from({ length: B }, (_, i) => i % heads);
  const headsOf = pieces(tf.tensor1d(headOf, 'int32'), sizes);
  return { headsOf, of: (block: number) => tf.gather(bias, headsOf[block]) }; // [heads in block, length, length]
}

/** What is added to each block's scores: by distance, and against padding and tokens out of reach. */
function scoreTerms(group: AttentionGroup, heads: number, sizes: number[], { table, rotary }: AttentionSettings) {
  const mask = tokenMask(group, heads);
  const hiding = mask && hidingPadding(mask, sizes);
  const far = rotary && hidingFar(group.length, rotary.reach);
  const biases = table && blockBiases(table, group.length, sizes, heads);
  return { mask, biases, of: (block: number) => [biases?.of(block), hiding?.[block], far] };
}

/** x / √d: [B, length, d] */
const scaled = (x: tf.Tensor3D): tf.Tensor3D => tf.mul(x, 1 / Math.sqrt(x.shape[2]));

/** P of a block, from Q, K / √d and what is added to the scores: [heads in block, length, length]; 0 where hidden. */
function attentionWeights(q: tf.Tensor3D, scaledK: tf.Tensor3D, added: (tf.Tensor | undefined)[]): tf.Tensor3D {
  return tidy(() => {
    const scores = product(q, scaledK, false, true);
    return softmax(added.reduce<tf.Tensor>((sum, one) => (one ? tf.add(sum, one) : sum), scores)) as tf.Tensor3D;
  });
}

/** −D of a whole batch, head by head, from dO and O: [tokens, hidden] → [tokens, heads] */
export function negativeRowSums(dContext: tf.Tensor2D, context: tf.Tensor2D, heads: number): tf.Tensor2D {
  return tidy(() => {
    const hidden = context.shape[1];
    // Sums the columns of each head, with the opposite sign: [hidden, heads]
    const matrix = new Float32Array(hidden * heads);
    for (let i = 0; i < hidden; i++) matrix[i * heads + Math.floor((i * heads) / hidden)] = -1;
    return product(tf.mul(dContext, context) as tf.Tensor2D, tf.tensor2d(matrix, [hidden, heads]));
  });
}

/**
 * One group's attention.
 *
 * @param qkv the group's rows of the fused projection: [rows, 3 · hidden]
 * @returns context: [rows, hidden] and what the gradient needs
 */
export function attention(qkv: tf.Tensor2D, heads: number, group: AttentionGroup, settings: AttentionSettings = {}) {
  return tidy(() => {
    const { dropout, rotary } = settings;
    const [ownQ, ownK, v] = pieces(splitHeads(qkv, 3, heads, group), 3); // [B, length, d]
    const [q, k] = rotary ? [ownQ, ownK].map(rotation(group.length, rotary.frequencies)) : [ownQ, ownK];
    const sizes = blockSizes(q.shape[0], group.length);
    const [qs, ks, vs] = [q, scaled(k), v].map((x) => pieces(x, sizes)); // [heads in block, length, d]
    const terms = scoreTerms(group, heads, sizes, settings);
    const outputs = qs.map((q, i) =>
      tidy(() => {
        const weights = attentionWeights(q, ks[i], terms.of(i));
        const dropped = dropout ? tf.mul(weights, dropout.mask(weights.shape, i)) : weights;
        return product(dropped as tf.Tensor3D, vs[i]);
      }),
    );
    const saved: AttentionSaved = { q, k, v };
    return { context: mergeHeads(joined(outputs), 1, heads, group), saved };
  });
}

/**
 * Gradient of {@link attention}.
 *
 * @param dContext [rows, hidden]
 * @param dRows their {@link negativeRowSums}: [rows, heads]
 * @returns dqkv: [rows, 3 · hidden], and the table's
 */
export function attentionGradient(
  dContext: tf.Tensor2D,
  dRows: tf.Tensor2D,
  heads: number,
  group: AttentionGroup,
  saved: AttentionSaved,
  settings: AttentionSettings = {},
): { dqkv: tf.Tensor2D; dTable?: tf.Tensor2D } {
  return tidy(() => {
    const { q, k, v } = saved;
    const { dropout, rotary } = settings;
    const [B, length] = q.shape;
    const sizes = blockSizes(B, length);
    const terms = scoreTerms(group, heads, sizes, settings);
    const { mask, biases } = terms;
    const withoutPadding = (x: tf.Tensor3D) => (mask ? (tf.mul(x, mask.expandDims(2)) as tf.Tensor3D) : x);
    // [heads in block, length, d] and [heads in block, length, 1]
    const dOutput = withoutPadding(splitHeads(dContext, 1, heads, group));
    const dRow = withoutPadding(splitHeads(dRows, 1, heads, group));
    const [qs, ks, dOutputs, dRowsSplit] = [q, scaled(k), dOutput, dRow].map((x) => pieces(x, sizes));
    // Without dropout, −D is added within the product: it is one more column of dO, and V has one of ones.
    const [lefts, rights] = [
      [dOutput, dRow],
      [v, tf.onesLike(dRow)],
    ].map(([own, column]) => pieces(dropout ? own : (tf.concat([own, column], 2) as tf.Tensor3D), sizes));
    const turnedBack = rotary ? rotation(length, rotary.frequencies, -1) : (x: tf.Tensor3D) => x;
    const blocks = qs.map((q, i) =>
      tidy(() => {
        const weights = attentionWeights(q, ks[i], terms.of(i));
        const dropped = dropout?.mask(weights.shape, i);
        const dWeights = product(lefts[i], rights[i], false, true);
        const inner = dropped ? tf.add(tf.mul(dWeights, dropped), dRowsSplit[i]) : dWeights;
        const dScores = tf.mul(weights, inner) as tf.Tensor3D; // [heads in block, length, length]
        return {
          q: turnedBack(product(dScores, ks[i])),
          k: turnedBack(scaled(product(dScores, q, true, false))),
          v: product((dropped ? tf.mul(weights, dropped) : weights) as tf.Tensor3D, dOutputs[i], true, false),
          bias: biases && tf.unsortedSegmentSum(dScores, biases.headsOf[i], heads), // [heads, length, length]
        };
      }),
    );
    const dqkv = joined([...blocks.map(({ q }) => q), ...blocks.map(({ k }) => k), ...blocks.map(({ v }) => v)]);
    const dTable = biases && relativeBiasGradient(tf.addN(blocks.map(({ bias }) => bias!)) as tf.Tensor3D);
    return { dqkv: mergeHeads(dqkv, 3, heads, group), dTable };
  });
}
