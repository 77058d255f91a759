// In: x. Out: y = gelu(x·W1ᵀ + b1)·W2ᵀ + b2 with the exact GELU (Hendrycks & Gimpel 2016, eq. 1), and its gradient.
//
// gelu(h) = h/2·(1 + erf(h/√2)). With z = h/√2 this is z·(1 + erf z)/√2: the factors 1/√2 go into the weights, which
// are small, instead of the [tokens, intermediate] activations. Rows are worked off in blocks, which bounds the memory
// for what lies between.
import { evenSizes, joined, pieces, product, tf, tidy } from '../tf';
import { addBias, linear, sumRows } from './linear';

/** A block has at most so many rows. */
const BLOCK_ROWS = 1024;
const HALF_ROOT = Math.SQRT1_2;

/** w1: [intermediate, hidden], b1: [intermediate], w2: [hidden, intermediate], b2: [hidden] */
export interface FeedForwardWeights {
  w1: tf.Tensor2D;
  b1: tf.Tensor1D;
  w2: tf.Tensor2D;
  b2: tf.Tensor1D;
}

/** z = (x·W1ᵀ + b1)/√2, block by block: the only activation the gradient needs; none where it is to be made again. */
export type FeedForwardSaved = tf.Tensor2D[];

const rowBlocks = (x: tf.Tensor2D): tf.Tensor2D[] => pieces(x, evenSizes(x.shape[0], BLOCK_ROWS));

/** What makes z: [block, intermediate] of a block of rows: [block, hidden] */
function hiddenLayer({ w1, b1 }: FeedForwardWeights): (x: tf.Tensor2D) => tf.Tensor2D {
  const weight = tf.mul(w1, HALF_ROOT) as tf.Tensor2D;
  const bias = tf.mul(b1, HALF_ROOT) as tf.Tensor1D;
  return (x) => linear(x, weight, bias);
}

/** x: [tokens, hidden] → y: [tokens, hidden] */
export function feedForward(x: tf.Tensor2D, weights: FeedForwardWeights, keep: boolean) {
  return tidy(() => {
    const hidden = hiddenLayer(weights);
    // Transposed once: of so many columns, a product with a transposed matrix is slower.
    const w2 = tf.transpose(tf.mul(weights.w2, HALF_ROOT)) as tf.Tensor2D; // [intermediate, hidden]
    const saved: FeedForwardSaved = [];
    const outputs = rowBlocks(x).map((block) => {
      const { y, z } = tidy(() => {
        const z = hidden(block); // [block, intermediate]
        const activated = tf.mul(z, tf.add(tf.erf(z), 1)) as tf.Tensor2D;
        const y = addBias(product(activated, w2), weights.b2); // [block, hidden]
        return keep ? { y, z } : { y, z: undefined };
      });
      if (z) saved.push(z);
      return y;
    });
    return { y: joined(outputs), saved };
  });
}

/** dy: [tokens, hidden] → dx: [tokens, hidden] and the weights' gradients */
export function feedForwardGradients(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  weights: FeedForwardWeights,
  saved: FeedForwardSaved,
) {
  return tidy(() => {
    const { w1 } = weights;
    const halfW2 = tf.mul(weights.w2, 0.5) as tf.Tensor2D; // one 1/√2 of a, one of z
    const hidden = saved.length ? undefined : hiddenLayer(weights);
    const dyBlocks = rowBlocks(dy);
    const parts = rowBlocks(x).map((block, i) =>
      tidy(() => {
        const z = saved[i] ?? hidden!(block);
        const onePlusErf = tf.add(tf.erf(z), 1);
        const activated = tf.mul(z, onePlusErf) as tf.Tensor2D;
        // d/dz z·(1 + erf z) = 1 + erf z + 2/√π·z·exp(−z²)
        const bell = tf.mul(tf.div(z, tf.exp(tf.square(z))), 2 / Math.sqrt(Math.PI));
        // That of h = x·W1ᵀ + b1: [block, intermediate]
        const dh = tf.mul(product(dyBlocks[i], halfW2), tf.add(onePlusErf, bell)) as tf.Tensor2D;
        return {
          dx: product(dh, w1), // [block, hidden]
          w1: product(dh, block, true, false), // [intermediate, hidden]
          b1: sumRows(dh),
          w2: product(dyBlocks[i], activated, true, false), // [hidden, intermediate]
        };
      }),
    );
    return {
      dx: joined(parts.map(({ dx }) => dx)),
      w1: tf.addN(parts.map(({ w1 }) => w1)) as tf.Tensor2D,
      b1: tf.addN(parts.map(({ b1 }) => b1)) as tf.Tensor1D,
      w2: tf.mul(tf.addN(parts.map(({ w2 }) => w2)), HALF_ROOT) as tf.Tensor2D,
      b2: sumRows(dy),
    };
  });
}
