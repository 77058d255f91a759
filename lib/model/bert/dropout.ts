// In: a rate and a seed. Out: dropout masks that can be made again: the gradient replays them instead of keeping them.
import { runOp, tf, tidy, type } from '../tf';

/** Makes the mask of one place in the network; the same place and step give the same mask. */
export interface Dropout {
  /** 0 with probability `rate`, else 1 / (1 − rate): of `shape`, for one of the place's parts (up to 1,024). */
  mask(shape: number[], part?: number): tf.Tensor;
}

/** Random bytes decide, so that the rate is a multiple of 1/256; the scale uses that rate, and the mean stays exact. */
const LEVELS = 256;

/**
 * @param rate share of values dropped, 0 ≤ rate < 1 (rounded to a multiple of 1/256)
 * @param seed two whole numbers, such as step and place
 */
export function createDropout(rate: number, seed: [number, number]): Dropout | undefined {
  const dropped = Math.round(rate * LEVELS);
  if (dropped === 0) return undefined;
  const scale = LEVELS / (LEVELS - dropped);
  return {
    mask: (shape, part = 0) =>
      tidy(() => {
        const count = shape.reduce((a, b) => a * b, 1);
        // One 32-bit number of the counter-based Philox generator (Salmon et al. 2011) decides four values.
        const words = runOp(
          'StatelessRandomUniformFullInt',
          ['dtype', 'T', 'Tseed'].map((name) => type(name, 'INT32')),
          [tf.tensor1d([Math.ceil(count / 4)], 'int32'), tf.tensor1d([seed[0], seed[1] + part], 'int32')],
        );
        const bytes = runOp('Bitcast', [type('T', 'INT32'), type('type', 'UINT8')], [words]); // [count / 4, 4]
        const toByte = [type('SrcT', 'INT32'), type('DstT', 'UINT8')];
        const limit = runOp('Cast', toByte, [tf.scalar(dropped, 'int32')]);
        const kept = runOp('GreaterEqual', [type('T', 'UINT8')], [bytes, limit]); // bool
        const flat = tf.slice(kept.reshape([kept.size]), 0, count).reshape(shape);
        return tf.mul(tf.cast(flat, 'float32'), scale);
      }),
  };
}

/** x with some of its values dropped, and the others made larger; the same for a gradient. */
export const drop = (x: tf.Tensor2D, dropout?: Dropout, part?: number): tf.Tensor2D =>
  dropout ? tidy(() => tf.mul(x, dropout.mask(x.shape, part)) as tf.Tensor2D) : x;
