// Multi-head self-attention (Vaswani et al. 2017, eq. 1) within each sequence of a packed batch, and its gradient.
//
//   P  = softmax(Q·Kᵀ/√d),  O = P·V
//   dV = Pᵀ·dO
//   dS = P ∘ (dO·Vᵀ − D)   with D = rowsum(dO ∘ O)
// which leaves one pass over the [length, length] scores forward and three backward, besides the products.

import { softmax, tf, tidy } from '../tf';
import type { Dropout } from './dropout';
import type { AttentionGroup } from './packing';

/** Heads are worked off in blocks whose scores, at most so many numbers (13 MB), stay in a processor's cache. */
const MAX_BLOCK_SCORES = 3_200_000;

/** What the gradient needs of one group; B = sequences · heads. */
export interface AttentionSaved {
  /** Q, K and V: [3 · B, length, d] */
  qkv: tf.Tensor3D;
  /** P, block by block: [heads in block, length, length]; absent where it is computed again to save memory. */
  weights?: tf.Tensor3D[];
}

const isRagged = (group: AttentionGroup) => group.rows < group.count * group.length;

/** Rows to take for a padded layout: sequence after sequence; padding repeats the group's first row. */
function paddedRows({ lengths, length }: AttentionGroup): Int32Array {
  const rows = new Int32Array(lengths.length * length);
  let row = 0;
  lengths.forEach((own, s) => {
    for (let i = 0; i < own; i++) rows[s * length + i] = row++;
  });
  return rows;
}

/** The inverse: where each packed row stands in the padded layout. */
function packedRows({ lengths, length, rows }: AttentionGroup): Int32Array {
  const places = new Int32Array(rows);
  let row = 0;
  lengths.forEach((own, s) => {
    for (let i = 0; i < own; i++) places[row++] = s * length + i;
  });
  return places;
}

/** 1 where a token stands, 0 at padding: [B, length]; undefined where there is no padding. */
function tokenMask(group: AttentionGroup, heads: number): tf.Tensor2D | undefined {
  if (!isRagged(group)) return undefined;
  const mask = new Float32Array(group.count * heads * group.length);
  group.lengths.forEach((own, s) => {
    for (let h = 0; h < heads; h++) mask.fill(1, (s * heads + h) * group.length, (s * heads + h) * group.length + own);
  });
  return tf.tensor2d(mask, [group.count * heads, group.length]);
}

/** [rows, parts · hidden] → [parts · B, length, d] */
function splitHeads(x: tf.Tensor2D, parts: number, heads: number, group: AttentionGroup): tf.Tensor3D {
  const d = x.shape[1] / parts / heads;
  const padded = isRagged(group) ? tf.gather(x, tf.tensor1d(paddedRows(group), 'int32')) : x;
  return padded
    .reshape([group.count, group.length, parts, heads, d])
    .transpose([2, 0, 3, 1, 4])
    .reshape([parts * group.count * heads, group.length, d]) as tf.Tensor3D;
}

/** [parts · B, length, d] → [rows, parts · hidden] */
function mergeHeads(x: tf.Tensor3D, parts: number, heads: number, group: AttentionGroup): tf.Tensor2D {
  const [, length, d] = x.shape;
  const merged = x
    .reshape([parts, group.count, heads, length, d])
    .transpose([1, 3, 0, 2, 4])
    .reshape([group.count * length, parts * heads * d]) as tf.Tensor2D;
  return isRagged(group) ? (tf.gather(merged, tf.tensor1d(packedRows(group), 'int32')) as tf.Tensor2D) : merged;
}

/** A block of B: its first index and how many. */
interface Block {
  start: number;
  count: number;
}

/** B heads of `length` tokens as blocks of nearly one size. */
function headBlocks(B: number, length: number): Block[] {
  const blocks = Math.min(B, Math.ceil((B * length ** 2) / MAX_BLOCK_SCORES));
  const size = Math.ceil(B / blocks);
  return Array.from({ length: Math.ceil(B / size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, B - i * size),
  }));
}

/** A block of one part: [parts · B, length, d] → [count, length, d], without copying. */
const blockOf = (x: tf.Tensor3D, { start, count }: Block, offset = 0): tf.Tensor3D =>
  tf.slice(x, [offset + start, 0, 0], [count, -1, -1]);

/** P = softmax(Q·Kᵀ/√d) of a block: [count, length, length]; 0 at padding. */
function attentionWeights(q: tf.Tensor3D, k: tf.Tensor3D, block: Block, mask?: tf.Tensor2D): tf.Tensor3D {
  return tidy(() => {
    const scores: tf.Tensor3D = tf.matMul(tf.mul(q, 1 / Math.sqrt(q.shape[2])) as tf.Tensor3D, k, false, true);
    if (!mask) return softmax(scores);
    const visible = tf.slice(mask, [block.start, 0], [block.count, -1]).expandDims(1); // [count, 1, length]
    return softmax(tf.add(scores, tf.mul(tf.sub(visible, 1), 1e30)) as tf.Tensor3D);
  });
}

/**
 * One group's attention.
 *
 * @param qkv the group's rows of the fused projection: [rows, 3 · hidden]
 * @param keepWeights keep P for the gradient: quicker, but of size [B, length, length]
 * @returns context: [rows, hidden] and what the gradient needs
 */
export function attention(
  qkv: tf.Tensor2D,
  heads: number,
  group: AttentionGroup,
  keepWeights: boolean,
  dropout?: Dropout,
) {
  return tidy(() => {
    const split = splitHeads(qkv, 3, heads, group); // [3 · B, length, d]
    const mask = tokenMask(group, heads);
    const B = group.count * heads;
    const saved: AttentionSaved = keepWeights ? { qkv: split, weights: [] } : { qkv: split };
    const outputs = headBlocks(B, group.length).map((block, i) => {
      const { output, weights } = tidy(() => {
        const weights = attentionWeights(blockOf(split, block), blockOf(split, block, B), block, mask);
        const dropped = dropout ? tf.mul(weights, dropout.mask(weights.shape, i)) : weights;
        const output = tf.matMul(dropped as tf.Tensor3D, blockOf(split, block, 2 * B)); // [count, length, d]
        return { output, weights: keepWeights ? weights : undefined };
      });
      if (weights) saved.weights!.push(weights);
      return output;
    });
    return { context: mergeHeads(tf.concat(outputs, 0) as tf.Tensor3D, 1, heads, group), saved };
  });
}

/** Gradient of {@link attention}: dContext and context: [rows, hidden] → dqkv: [rows, 3 · hidden] */
export function attentionGradient(
  dContext: tf.Tensor2D,
  context: tf.Tensor2D,
  heads: number,
  group: AttentionGroup,
  saved: AttentionSaved,
  dropout?: Dropout,
): tf.Tensor2D {
  return tidy(() => {
    const B = group.count * heads;
    const d = saved.qkv.shape[2];
    const mask = tokenMask(group, heads);
    const withoutPadding = (x: tf.Tensor3D) => (mask ? (tf.mul(x, mask.expandDims(2)) as tf.Tensor3D) : x);
    const products = tf.mul(dContext, context).reshape([group.rows, heads, d]); // dO ∘ O
    const dRows = tf.neg(tf.sum(products, 2)) as tf.Tensor2D; // −D: [rows, heads]
    const dOutputs = withoutPadding(splitHeads(dContext, 1, heads, group)); // [B, length, d]
    const dRowsSplit = withoutPadding(splitHeads(dRows, 1, heads, group)); // [B, length, 1]
    const parts: tf.Tensor3D[][] = [[], [], []];
    headBlocks(B, group.length).forEach((block, i) => {
      const gradients = tidy(() => {
        const [q, k, v] = [0, B, 2 * B].map((offset) => blockOf(saved.qkv, block, offset)); // [count, length, d]
        const dOutput = blockOf(dOutputs, block);
        const dRow = blockOf(dRowsSplit, block);
        const weights = saved.weights?.[i] ?? attentionWeights(q, k, block, mask);
        const dropped = dropout?.mask(weights.shape, i);
        const dP = tf.matMul(dOutput, v, false, true);
        const inner = tf.add(dropped ? tf.mul(dP, dropped) : dP, dRow);
        const dScores = tf.mul(weights, inner) as tf.Tensor3D; // [count, length, length]
        const scale = 1 / Math.sqrt(d);
        return [
          tf.mul(tf.matMul(dScores, k), scale),
          tf.mul(tf.matMul(dScores, q, true, false), scale),
          tf.matMul((dropped ? tf.mul(weights, dropped) : weights) as tf.Tensor3D, dOutput, true, false),
        ] as tf.Tensor3D[];
      });
      for (const [part, gradient] of gradients.entries()) parts[part].push(gradient);
    });
    return mergeHeads(tf.concat(parts.flat(), 0) as tf.Tensor3D, 3, heads, group);
  });
}
