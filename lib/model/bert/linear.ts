// In: x. Out: y = x·Wᵀ + b, and its gradient. W is [out, in], as PyTorch stores it.
import { product, runOp, type tf, tidy, type } from '../tf';

/** Of the ops that know a bias: their x has a column a value of it. */
const BY_COLUMN: Parameters<typeof runOp>[1] = [type('T', 'FLOAT'), ['data_format', 'STRING', 'NHWC']];

/** weight: [out, in], bias: [out] */
export interface Linear {
  weight: tf.Tensor2D;
  bias?: tf.Tensor1D;
}

/** x: [tokens, in] → [tokens, out] */
export function linear(x: tf.Tensor2D, { weight, bias }: Linear): tf.Tensor2D {
  return tidy(() => addBias(product(x, weight, false, true), bias));
}

/** x: [tokens, out], bias: [out] → [tokens, out]; quicker than a broadcasting addition. */
export function addBias(x: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D {
  return bias ? (runOp('BiasAdd', BY_COLUMN, [x, bias]) as tf.Tensor2D) : x;
}

/** Gradients of {@link linear} from that of its output: dx = dy·W, dW = dyᵀ·x, db = Σ dy. */
export function linearGradients(dy: tf.Tensor2D, x: tf.Tensor2D, { weight, bias }: Linear) {
  return { dx: product(dy, weight), weight: product(dy, x, true, false), bias: bias && sumRows(dy) };
}

/** [rows, columns] → [columns]: the gradient of {@link addBias}, several times quicker than a reduction. */
export function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  return runOp('BiasAddGrad', BY_COLUMN, [x]) as tf.Tensor1D;
}
