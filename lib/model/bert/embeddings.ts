// In: a packed batch's token ids, the tables of embeddings. Out: the sum of each token's, which the first layer reads
// normalised (Devlin et al. 2019, section 3); and the gradient.
import { putBack, take, tf, tidy } from '../tf';
import { type LayerNormSaved, layerNormGradients, type Norm } from './layer-norm';
import type { PackedBatch } from './packing';

/** The tables: [vocabulary, hidden], [positions, hidden] unless attention turns by position, [types, hidden] if any */
export interface EmbeddingWeights {
  words: { weight: tf.Tensor2D };
  positions: { weight?: tf.Tensor2D };
  types: { weight?: tf.Tensor2D };
  norm: Norm;
}

/** Rows of the table of positions, of which the first stand for no token: [tokens] */
const positionRows = ({ positionIds }: PackedBatch, firstPosition: number): Int32Array =>
  positionIds.map((position) => position + firstPosition);

/** Sum of word, position and type embeddings: [tokens, hidden] */
export function embed({ words, positions, types }: EmbeddingWeights, batch: PackedBatch, firstPosition: number) {
  return tidy(() => {
    let sum = take(words.weight, batch.tokenIds);
    if (positions.weight) sum = tf.add(sum, take(positions.weight, positionRows(batch, firstPosition)));
    // A text on its own is all of type 0.
    return types.weight ? (tf.add(sum, tf.slice(types.weight, [0, 0], [1, -1])) as tf.Tensor2D) : sum;
  });
}

/** Gradient of the weights from that of the normalised sum: [tokens, hidden] */
export function embeddingGradients(
  dNormed: tf.Tensor2D,
  { words, positions, types, norm }: EmbeddingWeights,
  batch: PackedBatch,
  firstPosition: number,
  saved: LayerNormSaved,
) {
  return tidy(() => {
    const { dx, ...ofNorm } = layerNormGradients(dNormed, norm, saved);
    const ofTable = (table?: tf.Tensor2D, rows?: Int32Array, d = dx) => table && putBack(d, table.shape[0], rows);
    return {
      words: { weight: ofTable(words.weight, batch.tokenIds) },
      positions: { weight: ofTable(positions.weight, positionRows(batch, firstPosition)) },
      types: { weight: ofTable(types.weight, Int32Array.of(0), tf.sum(dx, 0, true)) }, // only type 0 occurs
      norm: ofNorm,
    };
  });
}
