// In: a fine-tuned model and its base. Out: the model that lies between them (WiSE-FT: Wortsman et al. 2022, "Robust
// fine-tuning of zero-shot models", section 3, eq. 2).
import { WORDS } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { type StoredTable, storedTable } from '../model/safetensors';
import { tf, tidy } from '../model/tf';

/**
 * Moves a model's weights, in place, back towards those of its base: `(1 − share) · own + share · base`.
 *
 * Use it after training where the model will also be asked about other things than it was trained on: what fine-tuning
 * forgot comes back sooner than what it learned is lost.
 *
 * @param base the model that training began with; it stays as it is
 * @param share from 0 (stay) to 1 (the base)
 * @throws Error if the share is out of range, or the two models are not of one shape
 */
export function interpolateWeights(model: EmbeddingModel, base: EmbeddingModel, share: number): void {
  if (!(share >= 0 && share <= 1)) throw new Error(`The base's share is ${share}; it must be from 0 to 1.`);
  const { words } = model;
  const pairs = [...model.weights].map(([name, own]) => [name, own, base.weights.get(name)] as const);
  for (const [name, own, of] of [...pairs, [WORDS, words, base.words] as const]) {
    if (of?.shape.join() !== own.shape.join())
      throw new Error(`${base.name} is not the base of ${model.name}: it has no "${name}" of shape [${own.shape}].`);
  }
  model.words = mixed(words, base.words, share);
  for (const [name, own, of] of pairs) {
    const between = tidy(() => tf.add(tf.mul(own, 1 - share), tf.mul(of!, share)));
    model.weights.set(name, between);
    own.dispose();
  }
}

/** `(1 − share) · own + share · base`, as it is read. */
const mixed = (own: StoredTable, base: StoredTable, share: number): StoredTable =>
  storedTable(own.shape, (places) => {
    const other = base.rows(places);
    return own.rows(places).map((value, i) => (1 - share) * value + share * other[i]);
  });
