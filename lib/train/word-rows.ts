// The word embeddings that a training run touches, as a small table of their own.
//
// Half of a small encoder's weights are word embeddings, and a run's texts hold a part of all words. A row whose word never occurs has zero
// gradient and zero moments for ever: AdamW only decays it. So training works on the rows that occur, and the others' decay is one factor.
import { EMBEDDING } from '../model/bert/weight-names';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf, tidy } from '../model/tf';

/** The rows of the words in a set of texts, and the way from token ids to these rows. */
export class WordRows {
  /** Token ids that occur, ascending. */
  private readonly ids: Int32Array;
  private readonly rowOf: Map<number, number>;
  /** What untouched rows have been decayed by since they were last written. */
  private pendingDecay = 1;

  constructor(
    private readonly model: EmbeddingModel,
    sequences: Iterable<Int32Array>,
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
    this.pendingDecay *= factor;
  }

  /** Puts the trained rows, and the others with their decay, into the model's whole table. */
  writeBack(trained: tf.Tensor): void {
    const { weights } = this.model;
    const old = weights.get(EMBEDDING.words)!;
    const updated = tidy(() => {
      const decayed = tf.mul(old, this.pendingDecay);
      return tf.tensorScatterUpdate(decayed, tf.tensor2d(this.ids, [this.ids.length, 1], 'int32'), trained);
    });
    old.dispose();
    weights.set(EMBEDDING.words, updated);
    this.pendingDecay = 1;
  }
}
