// In: a model and a run's token ids. Out: its weights as steps read and update them; of word embeddings, what occurs.
//
// Half of a small encoder's weights are word embeddings, and a run's texts hold a part of all words. A row whose word
// never occurs has zero gradient and zero moments for ever: AdamW only decays it. So training works on the rows that
// occur, and the others' decay is one factor.

import type { NamedTensors } from '../model/bert/encoder';
import { EMBEDDING } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf, tidy } from '../model/tf';
import { AdamW, decayFactor, type OptimizerState } from './adamw';

/** All that further steps depend on, beside the base model. */
export interface TrainingState extends OptimizerState {
  /** What the untouched word embeddings have been decayed by: up to each publishing, and since the last. */
  decays: number[];
}

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
  /** The state, to be written before the next step; taking it changes nothing, not even by rounding. */
  save(): TrainingState;
  /** Goes on from what {@link save} gave, given the base model. */
  restore(state: TrainingState): void;
  /** Ends training: the model holds the weights as ordinary tensors. */
  dispose(): void;
}

/** Every weight, by AdamW; of the word embeddings, the rows that occur, as a small table of their own. */
export function trainAllWeights(model: EmbeddingModel, sequences: Int32Array[]): TrainedWeights {
  const occurring = new Set<number>();
  for (const sequence of sequences) for (const id of sequence) occurring.add(id);
  const ids = Int32Array.from(occurring).sort();
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  let decays = [1];
  const changeTable = (change: (whole: tf.Tensor) => tf.Tensor) => {
    const old = model.weights.get(EMBEDDING.words)!; // [vocabulary, hidden]
    const changed = tidy(() => change(old));
    model.weights.set(EMBEDDING.words, changed);
    old.dispose();
  };
  const words = tidy(() => tf.gather(model.weights.get(EMBEDDING.words)!, tf.tensor1d(ids, 'int32'))); // [rows, hidden]
  const weights: NamedTensors = new Map(model.weights).set(EMBEDDING.words, words);
  const optimizer = new AdamW(weights);
  const share = () => {
    for (const [name, tensor] of weights) if (name !== EMBEDDING.words) model.weights.set(name, tensor);
  };
  share();
  const publish = () => {
    const places = () => tf.tensor2d(ids, [ids.length, 1], 'int32');
    changeTable((old) => tf.tensorScatterUpdate(tf.mul(old, decays.at(-1)!), places(), weights.get(EMBEDDING.words)!));
    decays.push(1);
  };
  return {
    weights,
    rows: (sequence) => sequence.map((id) => rowOf.get(id)!),
    step(gradients, learningRate) {
      const norm = optimizer.step(gradients, learningRate);
      if (Number.isFinite(norm)) decays[decays.length - 1] *= decayFactor(EMBEDDING.words, learningRate);
      share();
      return norm;
    },
    publish,
    save: () => ({ ...optimizer.save(), decays }),
    restore(state) {
      optimizer.restore(state);
      // Publishing by publishing, as they were decayed before: to the same bits.
      for (const factor of state.decays.slice(0, -1)) changeTable((old) => tf.mul(old, factor));
      decays = [...state.decays];
      share();
    },
    dispose() {
      optimizer.dispose();
      share();
      publish();
      weights.get(EMBEDDING.words)!.dispose();
    },
  };
}
