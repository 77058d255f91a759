// In: x. Out: y = a·W2ᵀ + b2 with a = gelu(h), h = x·W1ᵀ + b1; and its gradient. The GELU is the exact one (Hendrycks &
// Gimpel 2016, eq. 1). Where W1 makes a gate g, too, a = gelu(h) ∘ g (GeGLU: Shazeer 2020, arXiv 2002.05202).
//
// gelu(h) = h/2·(1 + erf(h/√2)). With z = h/√2 this is z·(1 + erf z)/√2: the factors 1/√2 go into the weights, which
// are small, instead of the [tokens, intermediate] activations. Rows are worked off in blocks, which bounds the memory
// for what lies between.
import { evenSizes, joined, pieces, product, tf, tidy } from '../tf';
import { type Dropout, drop } from './dropout';
import { addBias, type Linear, linear, linearGradients, sumRows } from './linear';

/** A block has at most so many rows. */
const BLOCK_ROWS = 1024;
const HALF_ROOT = Math.SQRT1_2;

/** up: [intermediate, hidden], gated [2 · intermediate, hidden]; down: [hidden, intermediate] */
export interface FeedForwardWeights {
  up: Linear;
  down: Linear;
}

/** z = (x·W1ᵀ + b1)/√2, block by block: the only activation the gradient needs; none where it is to be made again. */
export type FeedForwardSaved = tf.Tensor2D[];

const isGated = ({ up, down }: FeedForwardWeights): boolean => up.weight.shape[0] > down.weight.shape[1];

/** By this, W2 makes up for the √2 in z·(1 + erf z) = √2·gelu(h); a gate is g/√2, and does so itself. */
const factorOf = (weights: FeedForwardWeights): number => (isGated(weights) ? 1 : HALF_ROOT);

const rowBlocks = (x: tf.Tensor2D): tf.Tensor2D[] => pieces(x, evenSizes(x.shape[0], BLOCK_ROWS));

/** What makes z: [block, W1's rows] of a block of rows: [block, hidden] */
function hiddenLayer({ up }: FeedForwardWeights): (x: tf.Tensor2D) => tf.Tensor2D {
  const weight = tf.mul(up.weight, HALF_ROOT) as tf.Tensor2D;
  const bias = up.bias && (tf.mul(up.bias, HALF_ROOT) as tf.Tensor1D);
  return (x) => linear(x, { weight, bias });
}

/** From z, √2·gelu(h), and a by {@link factorOf}: [block, intermediate] */
function activation(z: tf.Tensor2D, weights: FeedForwardWeights) {
  const [own, gate] = isGated(weights) ? tf.split(z, 2, 1) : [z];
  const onePlusErf = tidy(() => tf.add(tf.erf(own), 1));
  const gelu = tf.mul(own, onePlusErf) as tf.Tensor2D;
  return { own, gate, onePlusErf, gelu, a: gate ? (tf.mul(gelu, gate) as tf.Tensor2D) : gelu };
}

/**
 * @param dropout of y; gated, of a, as ModernBERT has it
 * @returns y: [tokens, hidden] from x: [tokens, hidden]
 */
export function feedForward(x: tf.Tensor2D, weights: FeedForwardWeights, keep: boolean, dropout?: Dropout) {
  return tidy(() => {
    const hidden = hiddenLayer(weights);
    const [inner, outer] = isGated(weights) ? [dropout] : [undefined, dropout];
    // Transposed once: of so many columns, a product with a transposed matrix is slower.
    const w2 = tf.transpose(tf.mul(weights.down.weight, factorOf(weights))) as tf.Tensor2D; // [intermediate, hidden]
    const saved: FeedForwardSaved = [];
    const outputs = rowBlocks(x).map((block, i) => {
      const { y, z } = tidy(() => {
        const z = hidden(block); // [block, W1's rows]
        const { a } = activation(z, weights);
        const y = addBias(product(drop(a, inner, i), w2), weights.down.bias); // [block, hidden]
        return keep ? { y, z } : { y, z: undefined };
      });
      if (z) saved.push(z);
      return y;
    });
    return { y: drop(joined(outputs), outer), saved };
  });
}

/** dy: [tokens, hidden] → dx: [tokens, hidden] and the weights' gradients */
export function feedForwardGradients(
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  weights: FeedForwardWeights,
  saved: FeedForwardSaved,
  dropout?: Dropout,
) {
  return tidy(() => {
    const { up, down } = weights;
    const [inner, outer] = isGated(weights) ? [dropout] : [undefined, dropout];
    const factor = factorOf(weights);
    const w2 = tf.mul(down.weight, factor * HALF_ROOT) as tf.Tensor2D; // one 1/√2 of z, or of a gate's partner
    const hidden = saved.length ? undefined : hiddenLayer(weights);
    const dOutput = drop(dy, outer);
    const dBlocks = rowBlocks(dOutput);
    const parts = rowBlocks(x).map((block, i) =>
      tidy(() => {
        const { own, gate, onePlusErf, gelu, a } = activation(saved[i] ?? hidden!(block), weights);
        // d/dz z·(1 + erf z) = 1 + erf z + 2/√π·z·exp(−z²)
        const bell = () => tf.mul(tf.div(own, tf.exp(tf.square(own))), 2 / Math.sqrt(Math.PI));
        const slope = tidy(() => tf.add(onePlusErf, bell()));
        const da = drop(product(dBlocks[i], w2), inner, i); // [block, intermediate]
        // That of x·W1ᵀ + b1: [block, W1's rows]
        const dh = (
          gate ? tf.concat([tf.mul(tf.mul(da, gate), slope), tf.mul(da, gelu)], 1) : tf.mul(da, slope)
        ) as tf.Tensor2D;
        return {
          ...linearGradients(dh, block, up),
          w2: product(dBlocks[i], drop(a, inner, i), true, false), // [hidden, intermediate]
        };
      }),
    );
    return {
      dx: joined(parts.map(({ dx }) => dx)),
      up: {
        weight: tf.addN(parts.map(({ weight }) => weight)),
        bias: up.bias && tf.addN(parts.map(({ bias }) => bias!)),
      },
      down: { weight: tf.mul(tf.addN(parts.map(({ w2 }) => w2)), factor), bias: down.bias && sumRows(dOutput) },
    };
  });
}
