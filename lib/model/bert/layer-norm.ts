// In: x. Out: x normalised over the hidden dimension (Ba et al. 2016, eq. 3–4), and the gradient of that.
import { product, runFastOp, tf, tidy } from '../tf';
import { addBias, sumRows } from './linear';

/** gamma and beta, as PyTorch names them: [hidden] each */
export interface Norm {
  weight: tf.Tensor1D;
  bias?: tf.Tensor1D;
}

/** What the gradient needs: x̂ = (x − mean) / std: [tokens, hidden], and 1 / std: [tokens, 1]. */
export interface LayerNormSaved {
  normalized: tf.Tensor2D;
  inverseStd: tf.Tensor2D;
}

/** x: [tokens, hidden] → y = x̂·gamma + beta: [tokens, hidden] */
export function layerNorm(x: tf.Tensor2D, norm: Norm, eps: number): tf.Tensor2D {
  const attributes: Parameters<typeof runFastOp>[1] = [
    ['epsilon', 'FLOAT', eps],
    ['_kernel', 'STRING', ''],
  ];
  const inPasses = () =>
    tidy(() => {
      const centered = tf.sub(x, tf.mean(x, 1, true)); // [tokens, hidden]
      const variance = tf.mean(tf.square(centered), 1, true); // [tokens, 1]
      return scaled(tf.mul(centered, tf.rsqrt(tf.add(variance, eps))) as tf.Tensor2D, norm);
    });
  return tidy(() => {
    const inputs = [x, norm.weight, norm.bias ?? tf.zerosLike(norm.weight)];
    return runFastOp('_MklLayerNorm', attributes, inputs, inPasses) as tf.Tensor2D;
  });
}

/** What {@link layerNormGradients} needs of an x: [tokens, hidden] */
export function layerNormSaved(x: tf.Tensor2D, eps: number): LayerNormSaved {
  return tidy(() => {
    const hidden = x.shape[1];
    const normalized = layerNorm(x, { weight: tf.ones([hidden]) }, eps);
    // s = mean(x·x̂) = variance/√(variance + ε), and so 1/√(variance + ε) = s/(s² + ε), but for terms of ε²
    const s = product(tf.mul(x, normalized) as tf.Tensor2D, tf.fill([hidden, 1], 1 / hidden) as tf.Tensor2D);
    return { normalized, inverseStd: tf.div(s, tf.add(tf.square(s), eps)) as tf.Tensor2D };
  });
}

/** y from x̂: two cheap passes, which saves keeping both. */
export function scaled(normalized: tf.Tensor2D, { weight, bias }: Norm): tf.Tensor2D {
  return tidy(() => addBias(tf.mul(normalized, weight) as tf.Tensor2D, bias));
}

/**
 * dx = (g − mean(g) − x̂·mean(g·x̂)) / std with g = dy·gamma; dgamma = Σ dy·x̂, dbeta = Σ dy.
 * dy: [tokens, hidden] → dx: [tokens, hidden]
 */
export function layerNormGradients(dy: tf.Tensor2D, { weight, bias }: Norm, saved: LayerNormSaved) {
  return tidy(() => {
    const { normalized, inverseStd } = saved;
    const dyNormalized = tf.mul(dy, normalized) as tf.Tensor2D; // [tokens, hidden]
    const hidden = dy.shape[1];
    // Both means as products with a small column, in place of a multiplication by gamma and two reductions.
    const column = weight.reshape([hidden, 1]).div(hidden) as tf.Tensor2D; // [hidden, 1]
    const meanG = product(dy, column); // [tokens, 1]
    const meanGx = product(dyNormalized, column); // [tokens, 1]
    const inner = tf.sub(tf.sub(tf.mul(dy, weight), meanG), tf.mul(normalized, meanGx));
    return {
      dx: tf.mul(inner, inverseStd) as tf.Tensor2D,
      weight: sumRows(dyNormalized),
      bias: bias && sumRows(dy),
    };
  });
}
