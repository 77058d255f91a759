// In: a loss. Out: the same loss at several dimensions at once (Matryoshka representation learning: Kusupati et al.
// 2022, section 3, eq. 1).
import { tf, tidy } from '../model/tf';
import type { Variant } from '../train/learner';
import type { Loss } from '../train/step';

/**
 * Trains the leading numbers of each vector to do alone, by {@link matryoshkaLoss} around whatever loss there is.
 *
 * Use it where vectors will be cut to save memory and search time: the leading numbers then carry the most. The encoder
 * runs once a step; each dimension adds one small loss. The full vectors may lose a little.
 *
 * @param settings `dims`: how many numbers to compare, such as `[384, 192, 96]`; the full size only if it is named
 * @throws Error as {@link matryoshkaLoss}
 */
export function matryoshka(settings: { dims: number[] }): Variant {
  return (method) => ({
    ...method,
    name: `${method.name}, matryoshka ${JSON.stringify(settings)}`,
    loss: matryoshkaLoss(method.loss, settings),
  });
}

/**
 * Σ loss(first `dim` numbers of every vector), as sentence-transformers' MatryoshkaLoss. The losses here
 * compare by cosine, so that cut vectors need no normalisation of their own.
 *
 * @throws Error if there is no dimension, or one is no whole number from 1, and in training if one exceeds the model's
 */
export function matryoshkaLoss(loss: Loss, { dims }: { dims: number[] }): Loss {
  if (dims.length === 0) throw new Error('matryoshkaLoss: dims is empty; name at least one, such as [384, 192, 96].');
  for (const dim of dims) {
    if (!Number.isInteger(dim) || dim < 1) throw new Error(`matryoshkaLoss: ${dim} in dims is no whole number from 1.`);
  }
  return (questions, columns, batch) =>
    tidy(() => {
      const hidden = questions.shape[1];
      const cut = (x: tf.Tensor2D, dim: number): tf.Tensor2D => (dim === hidden ? x : tf.slice(x, [0, 0], [-1, dim]));
      const terms = dims.map((dim) => {
        if (dim > hidden)
          throw new Error(`matryoshkaLoss: ${dim} in dims exceeds the ${hidden} numbers of the model's embeddings.`);
        return loss(cut(questions, dim), cut(columns, dim), batch);
      });
      return tf.addN(terms) as tf.Scalar;
    });
}
