// In: a model and a run's token ids. Out: its weights as steps read and update them; of word embeddings, what occurs.
//
// Half of a small encoder's weights are word embeddings, and a run's texts hold a part of all words. A row whose word
// never occurs has zero gradient and zero moments for ever: AdamW only decays it. So training works on the rows that
// occur, and the others' decay is one factor.

import type { NamedTensors } from '../model/bert/encoder';
import { WORDS } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { weightsIn } from '../model/load';
import { tf, tidy, uploaded } from '../model/tf';
import { AdamW, decayFactor, type OptimizerState } from './adamw';

/** All that further steps depend on, beside the base model. */
export interface TrainingState extends OptimizerState {
  /** What the untouched word embeddings have been decayed by. */
  decay: number;
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

/**
 * Every weight, by AdamW; of the word embeddings, the rows that occur, as a small table of their own. The whole one is
 * made of the base's, in its folder, at each publishing, and is not in memory while steps need that.
 */
export function trainAllWeights(model: EmbeddingModel, sequences: Int32Array[]): TrainedWeights {
  const occurring = new Set<number>();
  for (const sequence of sequences) for (const id of sequence) occurring.add(id);
  const ids = Int32Array.from(occurring).sort();
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  const base = weightsIn(model.folder, model.encoder.config).weights.get(WORDS)!; // [vocabulary, hidden]
  let decay = 1;
  const whole = () => model.weights.get(WORDS)!;
  const words = tidy(() => tf.gather(whole(), tf.tensor1d(ids, 'int32'))); // [rows, hidden]
  const weights: NamedTensors = new Map(model.weights).set(WORDS, words);
  const optimizer = new AdamW(weights);
  const share = () => {
    for (const [name, tensor] of weights) if (name !== WORDS) model.weights.set(name, tensor);
  };
  share();
  const publish = () => {
    const table = base.data; // read anew
    for (let i = 0; i < table.length; i++) table[i] *= decay;
    const trained = weights.get(WORDS)!.dataSync() as Float32Array;
    const columns = base.shape[1];
    ids.forEach((id, row) => {
      table.set(trained.subarray(row * columns, (row + 1) * columns), id * columns);
    });
    whole().dispose();
    model.weights.set(WORDS, uploaded(table, base.shape));
  };
  return {
    weights,
    rows: (sequence) => sequence.map((id) => rowOf.get(id)!),
    step(gradients, learningRate) {
      whole().dispose();
      const norm = optimizer.step(gradients, learningRate);
      if (Number.isFinite(norm)) decay *= decayFactor(WORDS, learningRate);
      share();
      return norm;
    },
    publish,
    save: () => ({ ...optimizer.save(), decay }),
    restore(state) {
      optimizer.restore(state);
      decay = state.decay;
      share();
    },
    dispose() {
      optimizer.dispose();
      share();
      publish();
      weights.get(WORDS)!.dispose();
    },
  };
}
