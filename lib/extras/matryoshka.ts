// In: a loss. Out: the same loss at several dimensions at once (Matryoshka representation learning: Kusupati et al.
// 2022, section 3, eq. 1).
import { tf, tidy } from '../model/tf';
import type { Variant } from '../train/learner';

/**
 * Trains the leading numbers of each vector to do alone: Σ loss(first `dim` numbers of every vector), for whatever loss
 * there is, as sentence-transformers' MatryoshkaLoss. The losses here compare by cosine, so that cut vectors need no
 * normalisation of their own.
 *
 * Use it where vectors will be cut to save memory and search time: the leading numbers then carry the most. The encoder
 * runs once a step; each dimension adds one small loss. The full vectors may lose a little.
 *
 * @param settings `dims`: how many numbers to compare, such as `[384, 192, 96]`; the full size only if it is named
 * @throws Error if there is no dimension, or one is no whole number from 1, and in training if one exceeds the model's
 */
export function matryoshka(settings: { dims: number[] }): Variant {
  const { dims } = settings;
  if (dims.length === 0) throw new Error('matryoshka: dims is empty; name at least one, such as [384, 192, 96].');
  for (const dim of dims) {
    if (!Number.isInteger(dim) || dim < 1) throw new Error(`matryoshka: ${dim} in dims is no whole number from 1.`);
  }
  const cut = (x: tf.Tensor2D, dim: number): tf.Tensor2D => {
    const hidden = x.shape[1];
    if (dim > hidden)
      throw new Error(`matryoshka: ${dim} in dims exceeds the ${hidden} numbers of the model's embeddings.`);
    return dim === hidden ? x : tf.slice(x, [0, 0], [-1, dim]);
  };
  return (method) => ({
    ...method,
    name: `${method.name}, matryoshka ${JSON.stringify(settings)}`,
    loss: (questions, columns, batch) =>
      tidy(() => tf.addN(dims.map((dim) => method.loss(cut(questions, dim), cut(columns, dim), batch))) as tf.Scalar),
  });
}
