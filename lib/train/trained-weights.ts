// What a run trains: all of a model's weights, or low-rank updates of some. Both step the same way.

import { Lora, type LoraSettings } from '../extras/lora';
import type { NamedTensors } from '../model/bert/encoder';
import { EMBEDDING } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { AdamW } from './adamw';
import { WordRows } from './word-rows';

/** The weights of a training run, with their optimizer. */
export interface TrainedWeights {
  /** What the encoder computes with. */
  readonly weights: NamedTensors;
  /** Token ids → rows of the word embeddings in {@link weights}. */
  rows(sequence: Int32Array): Int32Array;
  /**
   * One optimizer step; disposes of the gradients.
   *
   * @returns the gradients' norm before clipping; if it is not finite, nothing has changed
   */
  step(gradients: NamedTensors, learningRate: number): number;
  /** Brings the whole model up to date, before it is used for anything but training. */
  publish(): void;
  /** Ends training: the model holds the weights as ordinary tensors. */
  dispose(): void;
}

/** Every weight; of the word embeddings, the rows that occur in the run's texts. */
export function trainAllWeights(model: EmbeddingModel, sequences: Iterable<Int32Array>): TrainedWeights {
  const words = new WordRows(model, sequences);
  const weights: NamedTensors = new Map(model.weights).set(EMBEDDING.words, words.gather());
  const optimizer = new AdamW(weights);
  const share = () => {
    for (const [name, tensor] of weights) if (name !== EMBEDDING.words) model.weights.set(name, tensor);
  };
  const publish = () => words.writeBack(weights.get(EMBEDDING.words)!);
  return {
    weights,
    rows: (sequence) => words.rows(sequence),
    step(gradients, learningRate) {
      const norm = optimizer.step(gradients, learningRate);
      if (Number.isFinite(norm)) words.decayOthers(optimizer.decayFactor(EMBEDDING.words, learningRate));
      share();
      return norm;
    },
    publish,
    dispose() {
      optimizer.dispose();
      share();
      publish();
      weights.get(EMBEDDING.words)!.dispose();
    },
  };
}

/** Low-rank updates of the attention and feed-forward matrices. */
export function trainLora(model: EmbeddingModel, settings: LoraSettings, seed: number): TrainedWeights {
  const lora = new Lora(model, settings, seed);
  const optimizer = new AdamW(lora.trainables);
  return {
    weights: model.weights,
    rows: (sequence) => sequence,
    step(gradients, learningRate) {
      const norm = optimizer.step(lora.toTrainables(gradients), learningRate);
      if (Number.isFinite(norm)) lora.updateWeights();
      return norm;
    },
    publish() {},
    dispose() {
      optimizer.dispose();
      lora.dispose();
    },
  };
}
