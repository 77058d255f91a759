// In: a model's matrices. Out: two thin ones for each, which alone are trained (LoRA: Hu et al. 2021, section 4.1).
//
// W = W₀ + (α/r)·B·A with W [out, in], A [r, in], B [out, r]. The encoder computes with W and gives dW; by the chain
// rule dA = (α/r)·Bᵀ·dW and dB = (α/r)·dW·Aᵀ. W is the merged matrix, so that the model embeds, evaluates and is saved
// as any other.
import { seededRandom } from '../common/random';
import type { NamedTensors } from '../model/bert/encoder';
import { layerParts, WORDS } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { occurringWords } from '../model/occurring-words';
import { tf, tidy } from '../model/tf';
import { AdamW } from '../train/adamw';
import type { Variant } from '../train/learner';

/** LoRA's settings. */
export interface LoraSettings {
  /** Rank r of each update: 8 to 32 is usual. */
  rank: number;
  /** The update is scaled by α / r; α = 2r is usual. */
  alpha: number;
}

/**
 * Trains low-rank updates of a model's attention and feed-forward matrices in place of all weights.
 *
 * Use it where optimizer memory is short or data is scarce: of MiniLM's 22.6 million trained numbers 0.33 million are
 * left at rank 8 (their moments: 2.7 MB instead of 180 MB); the encoder's own work, most of a step, stays the same.
 * Learning rates are higher than for all weights: 2e-4 to 1e-3.
 *
 * @throws Error before the first step if the rank or α is out of range
 */
export function lora(settings: LoraSettings): Variant {
  return (method) => ({
    ...method,
    name: `${method.name}, LoRA ${JSON.stringify(settings)}`,
    trainedWeights: (model, sequences, seed) => {
      const { table, rows } = occurringWords(model.words, sequences);
      const updates = loraUpdates(model, settings, seed);
      const optimizer = new AdamW(updates.trainables);
      return {
        get weights() {
          return new Map(model.weights).set(WORDS, table);
        },
        rows,
        step(gradients, learningRate) {
          const norm = optimizer.step(updates.toTrainables(gradients), learningRate);
          if (Number.isFinite(norm)) updates.updateWeights();
          return norm;
        },
        publish() {},
        save: () => ({ ...optimizer.save(), decay: 1 }),
        restore(state) {
          optimizer.restore(state);
          updates.updateWeights();
        },
        dispose() {
          optimizer.dispose();
          updates.dispose();
          table.dispose();
        },
      };
    },
  });
}

/** Adapted in each layer: attention's projections and the feed-forward matrices; all else stays as it is. */
const ADAPTED = ['qkv', 'out', 'up', 'down'] as const;

const nameOfA = (name: string): string => `${name}.lora_A`;
const nameOfB = (name: string): string => `${name}.lora_B`;

/**
 * The two thin matrices of each of a model's matrices, and the model's weights as they follow from them. B starts at 0,
 * so that training starts at the model as it is. It takes over the adapted weights in `model.weights`; they hold the
 * merged matrices after each `updateWeights`, and for good after `dispose`: `saveModel` just works.
 *
 * `trainables` has `NAME.lora_A` [parts, r, in] and `NAME.lora_B` [parts, out / parts, r] for each adapted weight:
 * query, key and value, which are joined in one matrix, each have an A and a B of their own.
 */
export function loraUpdates(model: EmbeddingModel, { rank, alpha }: LoraSettings, seed: number) {
  const { hiddenSize, layers } = model.encoder.config;
  if (!Number.isInteger(rank) || rank < 1 || rank > hiddenSize)
    throw new Error(`LoRA: rank is ${rank}; it must be a whole number from 1 to the model's ${hiddenSize}.`);
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new Error(`LoRA: alpha is ${alpha}; it must be above 0.`);
  const scale = alpha / rank;
  const random = seededRandom(seed);
  const trainables: NamedTensors = new Map();
  /** W₀ [out, in] of each adapted weight. */
  const frozen: NamedTensors = new Map();
  for (let layer = 0; layer < layers; layer++) {
    for (const kind of ADAPTED) {
      const name = `${layerParts(layer)[kind]}.weight`;
      const weight = model.weights.get(name) as tf.Tensor2D;
      const parts = kind === 'qkv' ? 3 : 1;
      const [out, input] = weight.shape;
      // As the authors' code starts A: uniform within ±1/√in.
      const a = Float32Array.from({ length: parts * rank * input }, () => (2 * random() - 1) / Math.sqrt(input));
      trainables.set(nameOfA(name), tf.tensor3d(a, [parts, rank, input]));
      trainables.set(nameOfB(name), tf.zeros([parts, out / parts, rank]));
      frozen.set(name, weight);
      model.weights.set(name, tf.clone(weight));
    }
  }

  return {
    trainables,

    /** The chain rule: gradients of the encoder's weights → gradients of the trainables. Disposes of the former. */
    toTrainables(weightGradients: NamedTensors): NamedTensors {
      const gradients: NamedTensors = new Map();
      for (const [name, gradient] of weightGradients) {
        const [A, B] = [nameOfA, nameOfB].map((nameOf) => trainables.get(nameOf(name)));
        if (A && B) {
          const { a, b } = tidy(() => {
            const scaled = tf.mul(gradient, scale).reshape([A.shape[0], -1, gradient.shape[1]!]);
            return {
              a: tf.matMul(B, scaled, true, false), // [parts, r, in]
              b: tf.matMul(scaled, A, false, true), // [parts, out / parts, r]
            };
          });
          gradients.set(nameOfA(name), a);
          gradients.set(nameOfB(name), b);
        }
        gradient.dispose();
      }
      return gradients;
    },

    /** After a change of the trainables: the model's weights become what they now stand for. */
    updateWeights(): void {
      for (const [name, weight] of frozen) {
        const merged = tidy(() => {
          const update = tf.matMul(trainables.get(nameOfB(name))!, trainables.get(nameOfA(name))!);
          return tf.add(weight, tf.mul(update, scale).reshape(weight.shape));
        });
        model.weights.get(name)!.dispose();
        model.weights.set(name, merged);
      }
    },

    /** Frees everything but the model's weights, which stay as they are. */
    dispose(): void {
      for (const own of [trainables, frozen]) {
        tf.dispose([...own.values()]);
        own.clear();
      }
    },
  };
}
