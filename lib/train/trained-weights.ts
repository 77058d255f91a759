// In: a model and a run's token ids. Out: its weights as steps read and update them; of word embeddings, what occurs.
//
// A row whose word never occurs has zero gradient and zero moments for ever: AdamW only decays it. So training works on
// the rows that occur, and the others' decay is one factor.
import type { NamedTensors } from '../model/bert/encoder';
import { WORDS } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { occurringWords } from '../model/occurring-words';
import { storedTable } from '../model/safetensors';
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

/** Every weight, by AdamW; of the word embeddings, the rows that occur. */
export function trainAllWeights(model: EmbeddingModel, sequences: Int32Array[]): TrainedWeights {
  const base = model.words; // [vocabulary, hidden]
  const { table, rowOf, rows } = occurringWords(base, sequences);
  let decay = 1;
  const weights: NamedTensors = new Map(model.weights).set(WORDS, table);
  const optimizer = new AdamW(weights);
  const share = () => {
    for (const [name, tensor] of weights) if (name !== WORDS) model.weights.set(name, tensor);
  };
  share();
  const publish = () => {
    const [, columns] = base.shape;
    const trained = weights.get(WORDS)!.dataSync() as Float32Array;
    const decayed = decay;
    model.words = storedTable(base.shape, (ids) => {
      const values = base.rows(ids);
      for (let i = 0; i < values.length; i++) values[i] *= decayed;
      ids.forEach((id, i) => {
        const row = rowOf.get(id);
        if (row !== undefined) values.set(trained.subarray(row * columns, (row + 1) * columns), i * columns);
      });
      return values;
    });
  };
  return {
    weights,
    rows,
    step(gradients, learningRate) {
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
