// In: queries or keys of a sequence's tokens. Out: these, turned by their positions, so that scores depend on distance
// (RoPE: Su et al. 2021, arXiv 2104.09864, section 3.4).
import { tf, tidy } from '../tf';

/**
 * Turns x: [B, length, d], of token t the pair of numbers i and i + d/2 by the angle t · frequencies[i].
 *
 * @param sense −1 turns back, which is the gradient, too
 */
export function rotation(length: number, frequencies: number[], sense: 1 | -1 = 1): (x: tf.Tensor3D) => tf.Tensor3D {
  const places = tf.range(0, length).expandDims(1); // [length, 1]
  const angles = tf.mul(places, tf.tensor1d([...frequencies, ...frequencies])); // [length, d]
  const signs = [-sense, sense].flatMap((sign) => frequencies.map(() => sign));
  const [cos, sin] = [tf.cos(angles), tf.mul(tf.sin(angles), tf.tensor1d(signs))];
  return (x) =>
    tidy(() => {
      const [first, second] = tf.split(x, 2, 2);
      return tf.add(tf.mul(x, cos), tf.mul(tf.concat([second, first], 2), sin)) as tf.Tensor3D;
    });
}
