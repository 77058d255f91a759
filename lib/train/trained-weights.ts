// In: a model and a run's token ids. Out: its weights as steps read and update them; of word embeddings, what occurs.
//
// Half of a small encoder's weights are word embeddings, and a run's texts hold a part of all words. A row whose word
// never occurs has zero gradient and zero moments for ever: AdamW only decays it. So training works on the rows that
// occur, and the others' decay is one factor.

import type { NamedTensors } from '../model/bert/encoder';
import { EMBEDDING } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf, tidy } from '../model/tf';
import { AdamW, type OptimizerState } from './adamw';

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
  /** A copy of the state; taking it changes nothing, not even by rounding. */
  save(): TrainingState;
  /** Goes on from what {@link save} gave, given the base model. */
  restore(state: TrainingState): void;
  /** Ends training: the model holds the weights as ordinary tensors. */
  dispose(): void;
}

/** Every weight, by AdamW. */
export function trainAllWeights(model: EmbeddingModel, sequences: Int32Array[]): TrainedWeights {
  const words = new WordRows(model, sequences);
  const weights: NamedTensors = new Map(model.weights).set(EMBEDDING.words, words.gather());
  const optimizer = new AdamW(weights);
  const share = () => {
    for (const [name, tensor] of weights) if (name !== EMBEDDING.words) model.weights.set(name, tensor);
  };
  share();
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
    save: () => ({ ...optimizer.save(), decays: words.decays }),
    restore(state) {
      optimizer.restore(state);
      words.restore(state.decays);
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

/** The word embeddings that a run touches, as a small table of their own, and the way from token ids to its rows. */
class WordRows {
  /** Token ids that occur, ascending. */
  private readonly ids: Int32Array;
  private readonly rowOf: Map<number, number>;
  /** What untouched rows have been decayed by, from one writing of them to the next; the last is yet to be written. */
  decays = [1];

  constructor(
    private readonly model: EmbeddingModel,
    sequences: Int32Array[],
  ) {
    const occurring = new Set<number>();
    for (const sequence of sequences) for (const id of sequence) occurring.add(id);
    this.ids = Int32Array.from(occurring).sort();
    this.rowOf = new Map(Array.from(this.ids, (id, row) => [id, row]));
  }

  /** The rows as they are in the model now: [rows, hidden] */
  gather(): tf.Tensor2D {
    return tidy(
      () => tf.gather(this.model.weights.get(EMBEDDING.words)!, tf.tensor1d(this.ids, 'int32')) as tf.Tensor2D,
    );
  }

  /** Token ids → row numbers. */
  rows(sequence: Int32Array): Int32Array {
    return sequence.map((id) => this.rowOf.get(id)!);
  }

  /** Notes that a step has decayed every word embedding by `factor`. */
  decayOthers(factor: number): void {
    this.decays[this.decays.length - 1] *= factor;
  }

  /** Puts the trained rows, and the others with their decay, into the model's whole table. */
  writeBack(trained: tf.Tensor): void {
    const { weights } = this.model;
    const old = weights.get(EMBEDDING.words)!;
    const updated = tidy(() => {
      const decayed = tf.mul(old, this.decays.at(-1)!);
      return tf.tensorScatterUpdate(decayed, tf.tensor2d(this.ids, [this.ids.length, 1], 'int32'), trained);
    });
    old.dispose();
    weights.set(EMBEDDING.words, updated);
    this.decays.push(1);
  }

  /** Decays the untouched rows of the base model as they were decayed before: writing by writing, to the same bits. */
  restore(decays: number[]): void {
    const { weights } = this.model;
    for (const factor of decays.slice(0, -1)) {
      const old = weights.get(EMBEDDING.words)!;
      weights.set(EMBEDDING.words, tf.mul(old, factor));
      old.dispose();
    }
    this.decays = [...decays];
  }
}
