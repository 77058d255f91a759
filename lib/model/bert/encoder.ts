// In: token ids, weights. Out: a pooled vector a sequence, by BERT (Devlin et al. 2019) or its kin (architectures.ts);
// and the gradient, written out.
//
// forward:  embeddings → LayerNorm → layers × (attention → + → LayerNorm → feed-forward → + → LayerNorm) → pooling
// backward: the same in reverse; each step gets the gradient of its output and gives that of its input and weights.
import type { EncoderConfig, PoolingConfig } from '../config';
import { disposeAll, joined, pieces, product, tf, tidy } from '../tf';
import { type AttentionSaved, attention, attentionGradient } from './attention';
import { createDropout, type Dropout } from './dropout';
import { type FeedForwardSaved, type FeedForwardWeights, feedForward, feedForwardGradients } from './feed-forward';
import { type LayerNormSaved, layerNorm, layerNormGradients, layerNormSaved, scaled } from './layer-norm';
import { linear, linearWeightGradients } from './linear';
import type { PackedBatch } from './packing';
import { EMBEDDING, type LAYER, layerWeight, RELATIVE_BIAS } from './weight-names';

/** Weights or gradients by name. */
export type NamedTensors = Map<string, tf.Tensor>;

/** Dropout of a training step: one rate for hidden states and attention, and a seed that differs from step to step. */
export interface DropoutSettings {
  rate: number;
  seed: number;
}

interface LayerSaved {
  attention: AttentionSaved[];
  /** [tokens, hidden] */
  context: tf.Tensor2D;
  norm1: LayerNormSaved;
  feedForward: FeedForwardSaved;
  norm2: LayerNormSaved;
}

/** What {@link backward} needs of a {@link forward}; disposed of by it. */
export interface Activations {
  batch: PackedBatch;
  dropout?: DropoutSettings;
  embeddingNorm: LayerNormSaved;
  layers: LayerSaved[];
  /** [sequences, tokens]; absent with CLS pooling. */
  averaging?: tf.Tensor2D;
}

/** Places of dropout within a layer. */
const PLACES = { attention: 1, attentionOutput: 2, feedForward: 3 };

function dropoutAt(settings: DropoutSettings | undefined, layer: number, place: number, group = 0) {
  return settings && createDropout(settings.rate, [settings.seed, (((layer + 1) * 8 + place) * 1024 + group) * 1024]);
}

const drop = (x: tf.Tensor2D, dropout?: Dropout): tf.Tensor2D =>
  dropout ? tidy(() => tf.mul(x, dropout.mask(x.shape)) as tf.Tensor2D) : x;

/** The rows of each group, without copying. */
const byGroup = (x: tf.Tensor2D, batch: PackedBatch): tf.Tensor2D[] =>
  pieces(
    x,
    batch.groups.map(({ rows }) => rows),
  );

/** Mean pooling as a matrix, which averages a sequence's rows: [sequences, tokens] */
function averagingMatrix(batch: PackedBatch): tf.Tensor2D {
  const matrix = new Float32Array(batch.sequences * batch.tokens);
  for (let s = 0; s < batch.sequences; s++) {
    const from = s * batch.tokens + batch.starts[s];
    matrix.fill(1 / batch.lengths[s], from, from + batch.lengths[s]);
  }
  return tf.tensor2d(matrix, [batch.sequences, batch.tokens]);
}

/** Rows of x, or all of it: [all rows, hidden] → [rows, hidden] */
const take = (x: tf.Tensor2D, rows?: Int32Array): tf.Tensor2D =>
  rows ? (tf.gather(x, tf.tensor1d(rows, 'int32')) as tf.Tensor2D) : x;

/** The gradient of {@link take}: [rows, hidden] → [all rows, hidden] */
const putBack = (dx: tf.Tensor2D, allRows: number, rows?: Int32Array): tf.Tensor2D =>
  rows ? (tf.unsortedSegmentSum(dx, tf.tensor1d(rows, 'int32'), allRows) as tf.Tensor2D) : dx;

/** The computation of one BERT encoder; the weights are passed in, so that an optimizer can own them. */
export class BertEncoder {
  constructor(
    readonly config: EncoderConfig,
    readonly pooling: PoolingConfig,
  ) {}

  private layerWeights(weights: NamedTensors, layer: number) {
    const of = <T extends tf.Tensor>(name: keyof typeof LAYER) => weights.get(layerWeight(layer, name)) as T;
    const table = weights.get(RELATIVE_BIAS) as tf.Tensor2D | undefined;
    const feedForwardWeights: FeedForwardWeights = { w1: of('w1'), b1: of('b1'), w2: of('w2'), b2: of('b2') };
    return { of, table, feedForwardWeights };
  }

  /** The rows that matter after a layer's attention: with CLS pooling, in the last layer, each sequence's first. */
  private rowsAfterAttention(layer: number, batch: PackedBatch): Int32Array | undefined {
    return this.pooling.mode === 'cls' && layer === this.config.layers - 1 ? batch.starts : undefined;
  }

  /** Rows of the table of positions: [tokens] */
  private positionIds({ positionIds }: PackedBatch): Int32Array {
    return positionIds.map((position) => position + this.config.firstPosition);
  }

  /** Sum of word, position and type embeddings: [tokens, hidden] */
  private embed(weights: NamedTensors, batch: PackedBatch): tf.Tensor2D {
    return tidy(() => {
      const words = take(weights.get(EMBEDDING.words) as tf.Tensor2D, batch.tokenIds);
      const positions = take(weights.get(EMBEDDING.positions) as tf.Tensor2D, this.positionIds(batch));
      const types = weights.get(EMBEDDING.types);
      const placed = tf.add(words, positions) as tf.Tensor2D;
      // A text on its own is all of type 0.
      return types ? (tf.add(placed, tf.slice(types, [0, 0], [1, -1])) as tf.Tensor2D) : placed;
    });
  }

  /** The sum, normalised: [tokens, hidden] */
  private normEmbedded(sum: tf.Tensor2D, weights: NamedTensors): tf.Tensor2D {
    const [gamma, beta] = [EMBEDDING.gamma, EMBEDDING.beta].map((name) => weights.get(name) as tf.Tensor1D);
    return layerNorm(sum, gamma, beta, this.config.layerNormEps);
  }

  private layer(
    x: tf.Tensor2D,
    weights: NamedTensors,
    index: number,
    batch: PackedBatch,
    keep: { any: boolean; hidden: boolean },
    dropout?: DropoutSettings,
  ): { y: tf.Tensor2D; saved?: LayerSaved } {
    return tidy((): { y: tf.Tensor2D; saved?: LayerSaved } => {
      const { of, table, feedForwardWeights } = this.layerWeights(weights, index);
      const { heads, layerNormEps } = this.config;
      const rows = this.rowsAfterAttention(index, batch);
      const { context, saved: ofAttention } = tidy(() => {
        const qkv = linear(x, of('qkvWeight'), of('qkvBias')); // [tokens, 3 · hidden]
        const parts = byGroup(qkv, batch).map((own, g) =>
          attention(own, heads, batch.groups[g], dropoutAt(dropout, index, PLACES.attention, g), table),
        );
        const context = joined(parts.map((part) => part.context)); // [tokens, hidden]
        return { context, saved: keep.any ? parts.map((part) => part.saved) : [] };
      });
      const attended = drop(
        linear(take(context, rows), of('outWeight'), of('outBias')),
        dropoutAt(dropout, index, PLACES.attentionOutput),
      );
      const sum1 = tf.add(take(x, rows), attended) as tf.Tensor2D;
      const middle = layerNorm(sum1, of('norm1Gamma'), of('norm1Beta'), layerNormEps);
      const forwarded = feedForward(middle, feedForwardWeights, keep.hidden);
      const dropped = drop(forwarded.y, dropoutAt(dropout, index, PLACES.feedForward));
      const sum2 = tf.add(middle, dropped) as tf.Tensor2D;
      const y = layerNorm(sum2, of('norm2Gamma'), of('norm2Beta'), layerNormEps);
      if (!keep.any) return { y };
      const saved: LayerSaved = {
        attention: ofAttention,
        context,
        norm1: layerNormSaved(sum1, layerNormEps),
        feedForward: forwarded.saved,
        norm2: layerNormSaved(sum2, layerNormEps),
      };
      return { y, saved };
    });
  }

  /**
   * Pooled vectors, or each token's, before any normalisation, without keeping anything for a gradient:
   * [sequences or tokens, hidden]
   */
  infer(weights: NamedTensors, batch: PackedBatch): tf.Tensor2D {
    return tidy(() => {
      let x = this.normEmbedded(this.embed(weights, batch), weights);
      for (let i = 0; i < this.config.layers; i++) {
        const { y } = this.layer(x, weights, i, batch, { any: false, hidden: false });
        x.dispose();
        x = y;
      }
      return this.pooling.mode === 'mean' ? product(averagingMatrix(batch), x) : x;
    });
  }

  /** How many numbers {@link forward} keeps of a token: of the feed-forwards' hidden layers, and others. */
  get keptPerToken(): { hidden: number; others: number } {
    const { layers, hiddenSize, intermediateSize } = this.config;
    return { hidden: layers * intermediateSize, others: layers * 6 * hiddenSize }; // Q, K, V, context, two norms
  }

  /**
   * As {@link infer}, with what {@link backward} needs: embeddings [sequences, hidden] and the activations.
   *
   * @param keepHidden keep the feed-forward's hidden layer too, two fifths of it all, which is else computed again
   */
  forward(weights: NamedTensors, batch: PackedBatch, dropout?: DropoutSettings, keepHidden = true) {
    return tidy(() => {
      const embedded = this.embed(weights, batch);
      let x = drop(this.normEmbedded(embedded, weights), dropoutAt(dropout, -1, 0));
      const layers: LayerSaved[] = [];
      for (let i = 0; i < this.config.layers; i++) {
        const { y, saved } = this.layer(x, weights, i, batch, { any: true, hidden: keepHidden }, dropout);
        layers.push(saved!);
        x.dispose();
        x = y;
      }
      const activations: Activations = {
        batch,
        dropout,
        embeddingNorm: layerNormSaved(embedded, this.config.layerNormEps),
        layers,
      };
      if (this.pooling.mode === 'cls') return { embeddings: x, activations };
      activations.averaging = averagingMatrix(batch);
      return { embeddings: product(activations.averaging, x), activations };
    });
  }

  /** A layer's input, made again from what is kept of the one before: [tokens, hidden] */
  private inputOf(index: number, weights: NamedTensors, { embeddingNorm, layers, dropout }: Activations): tf.Tensor2D {
    if (index > 0) {
      const { of } = this.layerWeights(weights, index - 1);
      return scaled(layers[index - 1].norm2.normalized, of('norm2Gamma'), of('norm2Beta'));
    }
    const [gamma, beta] = [EMBEDDING.gamma, EMBEDDING.beta].map((name) => weights.get(name) as tf.Tensor1D);
    return drop(scaled(embeddingNorm.normalized, gamma, beta), dropoutAt(dropout, -1, 0));
  }

  /** dY of one layer → its dX: [tokens, hidden]; the weights' gradients go into `gradients`. */
  private layerGradients(
    dy: tf.Tensor2D,
    weights: NamedTensors,
    index: number,
    activations: Activations,
    gradients: NamedTensors,
  ): tf.Tensor2D {
    const { batch, dropout } = activations;
    const saved = activations.layers[index];
    const rows = this.rowsAfterAttention(index, batch);
    const { of, table, feedForwardWeights } = this.layerWeights(weights, index);
    const { heads } = this.config;
    const dropoutOf = (group: number) => dropoutAt(dropout, index, PLACES.attention, group);
    const ofLaterLayers = gradients.get(RELATIVE_BIAS);
    const { dx, dTable, ...own } = tidy(() => {
      const norm2 = layerNormGradients(dy, of('norm2Gamma'), saved.norm2);
      const dForwarded = drop(norm2.dx, dropoutAt(dropout, index, PLACES.feedForward));
      const middle = scaled(saved.norm1.normalized, of('norm1Gamma'), of('norm1Beta')); // the feed-forward's input
      const forwarded = feedForwardGradients(dForwarded, middle, feedForwardWeights, saved.feedForward);
      tf.dispose([...saved.feedForward, middle]);
      const { dx: dMiddle, ...ofFeedForward } = forwarded;
      const norm1 = layerNormGradients(tf.add(norm2.dx, dMiddle), of('norm1Gamma'), saved.norm1);
      const dAttended = drop(norm1.dx, dropoutAt(dropout, index, PLACES.attentionOutput));
      const out = linearWeightGradients(dAttended, take(saved.context, rows));
      const dContext = putBack(product(dAttended, of('outWeight')), batch.tokens, rows); // [tokens, hidden]
      const contexts = byGroup(saved.context, batch);
      const parts = byGroup(dContext, batch).map((own, g) =>
        attentionGradient(own, contexts[g], heads, batch.groups[g], saved.attention[g], dropoutOf(g), table),
      );
      const dqkv = joined(parts.map((part) => part.dqkv)); // [tokens, 3 · hidden]
      const dTables = table && parts.map((part) => part.dTable!);
      const qkv = linearWeightGradients(dqkv, this.inputOf(index, weights, activations));
      return {
        dx: tf.add(putBack(norm1.dx, batch.tokens, rows), product(dqkv, of('qkvWeight'))) as tf.Tensor2D,
        dTable: dTables && tf.addN(ofLaterLayers ? [...dTables, ofLaterLayers] : dTables),
        qkvWeight: qkv.weight,
        qkvBias: qkv.bias,
        outWeight: out.weight,
        outBias: out.bias,
        norm1Gamma: norm1.gamma,
        norm1Beta: norm1.beta,
        ...ofFeedForward,
        norm2Gamma: norm2.gamma,
        norm2Beta: norm2.beta,
      };
    });
    for (const [name, gradient] of Object.entries(own))
      gradients.set(layerWeight(index, name as keyof typeof LAYER), gradient);
    if (dTable) {
      ofLaterLayers?.dispose();
      gradients.set(RELATIVE_BIAS, dTable);
    }
    return dx;
  }

  /**
   * Gradient of every weight from that of the embeddings; disposes of the activations as it goes.
   *
   * @param dEmbeddings [sequences, hidden]
   */
  backward(weights: NamedTensors, activations: Activations, dEmbeddings: tf.Tensor2D): NamedTensors {
    const gradients: NamedTensors = new Map();
    const { batch, layers, averaging } = activations;
    // Gradient of the last layer's rows: [tokens, hidden], or [sequences, hidden] with CLS pooling
    let dx: tf.Tensor2D = averaging ? product(averaging, dEmbeddings, true, false) : tf.clone(dEmbeddings);
    averaging?.dispose();
    for (let i = layers.length - 1; i >= 0; i--) {
      const next = this.layerGradients(dx, weights, i, activations, gradients);
      dx.dispose();
      disposeAll(layers[i]);
      dx = next;
    }
    const own = tidy(() => {
      const dEmbedded = drop(dx, dropoutAt(activations.dropout, -1, 0));
      const gamma = weights.get(EMBEDDING.gamma) as tf.Tensor1D;
      const norm = layerNormGradients(dEmbedded, gamma, activations.embeddingNorm);
      const rowsByToken = (ids: Int32Array, weight: string) => putBack(norm.dx, weights.get(weight)!.shape[0], ids);
      const { typeVocabSize } = this.config;
      const dTypes = () => putBack(tf.sum(norm.dx, 0, true), typeVocabSize, Int32Array.of(0)); // only type 0 occurs
      return {
        words: rowsByToken(batch.tokenIds, EMBEDDING.words),
        positions: rowsByToken(this.positionIds(batch), EMBEDDING.positions),
        ...(typeVocabSize > 0 && { types: dTypes() }),
        gamma: norm.gamma,
        beta: norm.beta,
      };
    });
    dx.dispose();
    disposeAll(activations.embeddingNorm);
    for (const [name, gradient] of Object.entries(own))
      gradients.set(EMBEDDING[name as keyof typeof EMBEDDING], gradient);
    return gradients;
  }
}
