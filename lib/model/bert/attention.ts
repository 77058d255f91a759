// Multi-head self-attention (Vaswani et al. 2017, eq. 1) within each sequence of a packed batch, and its gradient.
//
// Softmax is never formed: with E = exp(Q·Kᵀ) and row sums r, P = E / r, so
//   O  = E·V / r
//   dV = Eᵀ·(dO / r)
//   dS = P ∘ (dO·Vᵀ − D) = E ∘ ([dO, −D] / r · [V, 1]ᵀ)   with D = rowsum(dO ∘ O)
// which leaves one pass over the [length, length] scores forward and one backward, besides the products.

import { disposeAll, tf, tidy } from '../tf';
import type { Dropout } from './dropout';
import type { AttentionGroup } from './packing';

/** Row sums of E outside these limits come near overflow, or lose digits to underflow. */
const SAFE_SUMS = { from: 1e-25, to: 1e30 };

/** What the gradient needs of one group; B = sequences · heads. */
export interface AttentionSaved {
  /** Q / √d, K, and V, which is 0 at padding: [B, length, d] */
  q: tf.Tensor3D;
  k: tf.Tensor3D;
  v: tf.Tensor3D;
  /** Row sums of E: [B, length, 1] */
  rowSums: tf.Tensor3D;
  /** Whether E's rows were shifted by their maximum. */
  shifted: boolean;
  /** E: [B, length, length]; absent where it is computed again to save memory. */
  scores?: tf.Tensor3D;
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

/** 1 where a token stands, 0 at padding: [B, length, 1]; undefined where there is no padding. */
function tokenMask(group: AttentionGroup, heads: number): tf.Tensor3D | undefined {
  if (!isRagged(group)) return undefined;
  const mask = new Float32Array(group.count * heads * group.length);
  group.lengths.forEach((own, s) => {
    for (let h = 0; h < heads; h++) mask.fill(1, (s * heads + h) * group.length, (s * heads + h) * group.length + own);
  });
  return tf.tensor3d(mask, [group.count * heads, group.length, 1]);
}

/** [rows, parts · hidden] → [parts, B, length, d] */
function splitHeads(x: tf.Tensor2D, parts: number, heads: number, group: AttentionGroup): tf.Tensor4D {
  const d = x.shape[1] / parts / heads;
  const padded = isRagged(group) ? tf.gather(x, tf.tensor1d(paddedRows(group), 'int32')) : x;
  return padded
    .reshape([group.count, group.length, parts, heads, d])
    .transpose([2, 0, 3, 1, 4])
    .reshape([parts, group.count * heads, group.length, d]);
}

/** [parts, B, length, d] → [rows, parts · hidden] */
function mergeHeads(x: tf.Tensor4D, heads: number, group: AttentionGroup): tf.Tensor2D {
  const [parts, , length, d] = x.shape;
  const merged = x
    .reshape([parts, group.count, heads, length, d])
    .transpose([1, 3, 0, 2, 4])
    .reshape([group.count * length, parts * heads * d]) as tf.Tensor2D;
  return isRagged(group) ? (tf.gather(merged, tf.tensor1d(packedRows(group), 'int32')) as tf.Tensor2D) : merged;
}

/**
 * E = exp(Q·Kᵀ): [B, length, length]; shifted by each row's maximum, which softmax allows, only where exp would overflow.
 * The maximum is over tokens: padding with a larger score would push all of a row's tokens to 0.
 *
 * @param mask 1 where a token stands, 0 at padding: [B, length, 1]; undefined where there is no padding
 */
function exponentials(q: tf.Tensor3D, k: tf.Tensor3D, shifted: boolean, mask?: tf.Tensor3D): tf.Tensor3D {
  return tidy(() => {
    const scores = tf.matMul(q, k, false, true);
    if (!shifted) return tf.exp(scores) as tf.Tensor3D;
    const visible = mask ? tf.add(scores, tf.mul(tf.sub(mask.reshape([-1, 1, mask.shape[1]]), 1), 1e30)) : scores;
    return tf.exp(tf.sub(visible, tf.max(visible, 2, true))) as tf.Tensor3D;
  });
}

/** E and its rows' sums over tokens: [B, length, length], [B, length, 1] */
function safeExponentials(q: tf.Tensor3D, k: tf.Tensor3D, mask?: tf.Tensor3D) {
  const attempt = (shifted: boolean) =>
    tidy(() => {
      const scores = exponentials(q, k, shifted, mask);
      const rowSums = (mask ? tf.matMul(scores, mask) : tf.sum(scores, 2, true)) as tf.Tensor3D;
      return { scores, rowSums, shifted };
    });
  const first = attempt(false);
  if (first.rowSums.dataSync().every((sum) => sum > SAFE_SUMS.from && sum < SAFE_SUMS.to)) return first;
  disposeAll(first);
  return attempt(true);
}

/**
 * One group's attention.
 *
 * @param qkv the group's rows of the fused projection: [rows, 3 · hidden]
 * @param keepScores keep E for the gradient: quicker, but of size [B, length, length]
 * @returns context: [rows, hidden] and what the gradient needs
 */
export function attention(
  qkv: tf.Tensor2D,
  heads: number,
  group: AttentionGroup,
  keepScores: boolean,
  dropout?: Dropout,
) {
  return tidy(() => {
    const [q0, k, v0] = tf.unstack(splitHeads(qkv, 3, heads, group)) as tf.Tensor3D[]; // [B, length, d]
    const q = tf.mul(q0, 1 / Math.sqrt(q0.shape[2])) as tf.Tensor3D;
    const mask = tokenMask(group, heads);
    const v = mask ? (tf.mul(v0, mask) as tf.Tensor3D) : v0;
    const { scores, rowSums, shifted } = safeExponentials(q, k, mask);
    const weights = dropout ? tf.mul(scores, dropout.mask(scores.shape)) : scores;
    const output = tf.div(tf.matMul(weights, v), rowSums) as tf.Tensor3D;
    const context = mergeHeads(output.expandDims(0) as tf.Tensor4D, heads, group);
    const saved: AttentionSaved = { q, k, v, rowSums, shifted };
    if (keepScores) saved.scores = scores;
    return { context, saved };
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
    const { q, k, v, rowSums } = saved;
    const [B, length, d] = q.shape;
    const mask = tokenMask(group, heads);
    const split = splitHeads(dContext, 1, heads, group).squeeze([0]) as tf.Tensor3D; // [B, length, d]
    const dOutput = tf.div(mask ? tf.mul(split, mask) : split, rowSums) as tf.Tensor3D; // dO / r
    const products = tf.mul(dContext, context).reshape([group.rows, heads, d]); // dO ∘ O
    const perHead = splitHeads(tf.sum(products, 2) as tf.Tensor2D, 1, heads, group).squeeze([0]); // D: [B, length, 1]
    const dRow = tf.div(mask ? tf.mul(perHead, mask) : perHead, rowSums); // D / r
    const scores = saved.scores ?? exponentials(q, k, saved.shifted, mask);
    const columns = mask ?? tf.ones([B, length, 1]);
    let inner: tf.Tensor;
    let weights: tf.Tensor = scores;
    if (dropout) {
      const dropped = dropout.mask(scores.shape);
      weights = tf.mul(scores, dropped);
      const dP = tf.mul(tf.matMul(dOutput, v, false, true), dropped);
      inner = tf.sub(dP, tf.matMul(dRow, columns, false, true));
    } else {
      inner = tf.matMul(tf.concat([dOutput, tf.neg(dRow)], 2), tf.concat([v, columns], 2), false, true);
    }
    const dScores = tf.mul(scores, inner); // [B, length, length]
    const dq = tf.mul(tf.matMul(dScores, k), 1 / Math.sqrt(d));
    const dk = tf.matMul(dScores, q, true, false);
    const dv = tf.matMul(weights, dOutput, true, false);
    return mergeHeads(tf.stack([dq, dk, dv]) as tf.Tensor4D, heads, group);
  });
}
