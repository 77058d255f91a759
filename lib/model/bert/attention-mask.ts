// In: a group of sequences. Out: what keeps their tokens from attending to padding, and to those out of reach.
import { pieces, runOp, tf, tidy, type } from '../tf';
import { type AttentionGroup, isRagged } from './packing';

/** Added to a score, it leaves exp(score) = 0. */
const HIDDEN = 1e30;

/** 1 where a token stands, 0 at padding: [B, length]; undefined where there is no padding. */
export function tokenMask(group: AttentionGroup, heads: number): tf.Tensor2D | undefined {
  if (!isRagged(group)) return undefined;
  const mask = new Float32Array(group.lengths.length * heads * group.length);
  group.lengths.forEach((own, s) => {
    for (let h = 0; h < heads; h++) mask.fill(1, (s * heads + h) * group.length, (s * heads + h) * group.length + own);
  });
  return tf.tensor2d(mask, [group.lengths.length * heads, group.length]);
}

/** 0 where a mask is 1, and what hides a score where it is 0. */
const hiding = <T extends tf.Tensor>(mask: T): T => tf.mul(tf.sub(mask, 1), HIDDEN) as T;

/** What is added to each block's scores against padding: [heads in block, 1, length] */
export const hidingPadding = (mask: tf.Tensor2D, sizes: number[]): tf.Tensor3D[] =>
  pieces(hiding(mask).expandDims(1) as tf.Tensor3D, sizes);

/** What is added to scores so that no token attends further than `reach` to either side: [length, length] */
export function hidingFar(length: number, reach: number): tf.Tensor2D | undefined {
  if (length <= reach + 1) return undefined;
  return tidy(() => {
    const attributes = [type('T', 'FLOAT'), type('Tindex', 'INT32')];
    const sides = [tf.scalar(reach, 'int32'), tf.scalar(reach, 'int32')];
    return hiding(runOp('MatrixBandPart', attributes, [tf.ones([length, length]), ...sides]) as tf.Tensor2D);
  });
}
