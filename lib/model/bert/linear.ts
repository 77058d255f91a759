// In: x. Out: y = x·Wᵀ + b, and its gradient. W is [out, in], as PyTorch stores it.
import { product, runOp, type tf, tidy, type } from '../tf';

/** Of the ops that know a bias: their x has a column a value of it. */
const BY_COLUMN: Parameters<typeof runOp>[1] = [type('T', 'FLOAT'), ['data_format', 'STRING', 'NHWC']];

/** x: [tokens, in], weight: [out, in], bias: [out] → [tokens, out] */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return tidy(() => addBias(product(x, weight, false, true), bias));
}

/** x: [tokens, out], bias: [out] → [tokens, out]; quicker than a broadcasting addition. */
export function addBias(x: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return runOp('BiasAdd', BY_COLUMN, [x, bias]) as tf.Tensor2D;
}

/** Gradients of {@link linear}'s weight and bias from that of its output: dW = dyᵀ·x, db = Σ dy. */
export function linearWeightGradients(dy: tf.Tensor2D, x: tf.Tensor2D): { weight: tf.Tensor2D; bias: tf.Tensor1D } {
  return { weight: product(dy, x, true, false), bias: sumRows(dy) };
}

/** [rows, columns] → [columns]: the gradient of {@link addBias}, several times quicker than a reduction. */
export function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  return runOp('BiasAddGrad', BY_COLUMN, [x]) as tf.Tensor1D;
}
