// In: token ids, weights. Out: a pooled vector a sequence, by BERT (Devlin et al. 2019) or its kin (architectures.ts);
// and the gradient, written out.
//
// forward:  embeddings → LayerNorm → layers × (attention → + → LayerNorm → feed-forward → + → LayerNorm) → pooling
// backward: the same in reverse; each step gets the gradient of its output and gives that of its input and weights.
import { ARCHITECTURES } from '../architectures';
import type { EncoderConfig, PoolingConfig } from '../config';
import { disposeAll, product, tf, tidy } from '../tf';
import { createDropout, drop } from './dropout';
import { type EmbeddingWeights, embed, embeddingGradients } from './embeddings';
import {
  type LayerPlace,
  type LayerSaved,
  type LayerWeights,
  layerForward,
  layerGradients,
  type Stream,
} from './layer';
import { type LayerNormSaved, layerNorm, layerNormSaved, scaled } from './layer-norm';
import type { PackedBatch } from './packing';
import { EMBEDDING, layerParts, RELATIVE_BIAS } from './weight-names';

/** Weights or gradients by name. */
export type NamedTensors = Map<string, tf.Tensor>;

/** Dropout of a training step: one rate for hidden states and attention, and a seed that differs from step to step. */
export interface DropoutSettings {
  rate: number;
  seed: number;
}

/** What {@link backward} needs of a {@link forward}; disposed of by it. */
export interface Activations {
  batch: PackedBatch;
  dropout?: DropoutSettings;
  embeddingNorm: LayerNormSaved;
  layers: LayerSaved[];
}

function dropoutAt(settings: DropoutSettings | undefined, layer: number, place: number, group = 0) {
  return settings && createDropout(settings.rate, [settings.seed, (((layer + 1) * 8 + place) * 1024 + group) * 1024]);
}

/** Mean pooling as a matrix, which averages a sequence's rows: [sequences, tokens] */
function averagingMatrix(batch: PackedBatch): tf.Tensor2D {
  const matrix = new Float32Array(batch.sequences * batch.tokens);
  for (let s = 0; s < batch.sequences; s++) {
    const from = s * batch.tokens + batch.starts[s];
    matrix.fill(1 / batch.lengths[s], from, from + batch.lengths[s]);
  }
  return tf.tensor2d(matrix, [batch.sequences, batch.tokens]);
}

/** The weight and the bias of parts, if they have one, by the parts' names. */
function partsOf<T>(weights: NamedTensors, names: Record<string, string>): T {
  const of = (name: string) => ({ weight: weights.get(`${name}.weight`), bias: weights.get(`${name}.bias`) });
  return Object.fromEntries(Object.entries(names).map(([part, name]) => [part, of(name)])) as T;
}

const embeddingWeights = (weights: NamedTensors) => partsOf<EmbeddingWeights>(weights, EMBEDDING);

const layerWeights = (weights: NamedTensors, layer: number): LayerWeights => ({
  ...partsOf<LayerWeights>(weights, layerParts(layer)),
  table: weights.get(RELATIVE_BIAS) as tf.Tensor2D | undefined,
});

/** The computation of one BERT encoder; the weights are passed in, so that an optimizer can own them. */
export class BertEncoder {
  constructor(
    readonly config: EncoderConfig,
    readonly pooling: PoolingConfig,
  ) {}

  private place(index: number, batch: PackedBatch, settings?: DropoutSettings, keep?: LayerPlace['keep']): LayerPlace {
    // With CLS pooling, each sequence's first row matters after the last layer's attention.
    const rows = this.pooling.mode === 'cls' && index === this.config.layers - 1 ? batch.starts : undefined;
    const dropout = (place: number, group?: number) => dropoutAt(settings, index, place, group);
    return { config: this.config, index, batch, rows, dropout, keep };
  }

  /** The last layer's vectors, pooled if they are to be; and what a gradient needs, if that is kept. */
  private run(weights: NamedTensors, batch: PackedBatch, dropout?: DropoutSettings, keep?: LayerPlace['keep']) {
    const tables = embeddingWeights(weights);
    const { firstPosition, layerNormEps } = this.config;
    const embedded = embed(tables, batch, firstPosition); // [tokens, hidden]
    const normed = layerNorm(embedded, tables.norm, layerNormEps);
    let x: Stream = { normed: drop(normed, dropoutAt(dropout, -1, 0)) };
    const layers: LayerSaved[] = [];
    for (let i = 0; i < this.config.layers; i++) {
      const { y, saved } = layerForward(x, layerWeights(weights, i), this.place(i, batch, dropout, keep));
      if (saved) layers.push(saved);
      disposeAll(x);
      x = y;
    }
    const pooled = this.pooling.mode === 'mean' ? product(averagingMatrix(batch), x.normed) : x.normed;
    return { pooled, embedded, layers };
  }

  /**
   * Pooled vectors, or each token's, before any normalisation, without keeping anything for a gradient:
   * [sequences or tokens, hidden]
   */
  infer(weights: NamedTensors, batch: PackedBatch): tf.Tensor2D {
    return tidy(() => this.run(weights, batch).pooled);
  }

  /** How many numbers {@link forward} keeps of a token: of the feed-forwards' hidden layers, and others. */
  get keptPerToken(): { hidden: number; others: number } {
    const { layers, hiddenSize, intermediateSize, modelType } = this.config;
    const hidden = layers * intermediateSize * (ARCHITECTURES[modelType].isGated ? 2 : 1);
    return { hidden, others: layers * 6 * hiddenSize }; // Q, K, V, context, two norms
  }

  /**
   * As {@link infer}, with what {@link backward} needs: embeddings [sequences, hidden] and the activations.
   *
   * @param keepHidden keep the feed-forward's hidden layer too, two fifths of it all, which is else computed again
   */
  forward(weights: NamedTensors, batch: PackedBatch, dropout?: DropoutSettings, keepHidden = true) {
    return tidy(() => {
      const { pooled, embedded, layers } = this.run(weights, batch, dropout, { hidden: keepHidden });
      const embeddingNorm = layerNormSaved(embedded, this.config.layerNormEps);
      const activations: Activations = { batch, dropout, embeddingNorm, layers };
      return { embeddings: pooled, activations };
    });
  }

  /** A layer's input, made again from what is kept of the one before: [tokens, hidden] */
  private inputOf(index: number, weights: NamedTensors, { embeddingNorm, layers, dropout }: Activations): tf.Tensor2D {
    if (index > 0) return scaled(layers[index - 1].norm2.normalized, layerWeights(weights, index - 1).norm2);
    const first = scaled(embeddingNorm.normalized, embeddingWeights(weights).norm);
    return drop(first, dropoutAt(dropout, -1, 0));
  }

  /**
   * Gradient of every weight from that of the embeddings; disposes of the activations as it goes.
   *
   * @param dEmbeddings [sequences, hidden]
   * @param gradients to which they are added, weight by weight: those of a batch's other parts
   */
  backward(
    weights: NamedTensors,
    activations: Activations,
    dEmbeddings: tf.Tensor2D,
    gradients: NamedTensors = new Map(),
  ): NamedTensors {
    const { batch, dropout, layers, embeddingNorm } = activations;
    const add = (name: string, gradient?: tf.Tensor) => {
      if (!gradient) return;
      const before = gradients.get(name); // of other parts of the batch; or of later layers, where they share it
      gradients.set(name, before ? tf.add(before, gradient) : gradient);
      if (before) tf.dispose([before, gradient]);
    };
    const addParts = (names: Record<string, string>, own: Record<string, { weight?: tf.Tensor; bias?: tf.Tensor }>) => {
      for (const [part, { weight, bias }] of Object.entries(own)) {
        add(`${names[part]}.weight`, weight);
        add(`${names[part]}.bias`, bias);
      }
    };
    const isMean = this.pooling.mode === 'mean';
    // Gradient of the last layer's rows: [tokens, hidden], or [sequences, hidden] with CLS pooling
    let d: Stream = tidy(() => ({
      normed: isMean ? product(averagingMatrix(batch), dEmbeddings, true, false) : tf.clone(dEmbeddings),
    }));
    for (let i = layers.length - 1; i >= 0; i--) {
      const input = () => this.inputOf(i, weights, activations);
      const place = this.place(i, batch, dropout);
      const { dx, dTable, own } = layerGradients(d, layerWeights(weights, i), place, layers[i], input);
      addParts(layerParts(i), own);
      add(RELATIVE_BIAS, dTable);
      disposeAll([d, layers[i]]);
      d = dx;
    }
    const own = tidy(() => {
      const dFirst = d.residual ? (tf.add(d.normed, d.residual) as tf.Tensor2D) : d.normed;
      const dNormed = drop(dFirst, dropoutAt(dropout, -1, 0));
      return embeddingGradients(dNormed, embeddingWeights(weights), batch, this.config.firstPosition, embeddingNorm);
    });
    disposeAll([d, embeddingNorm]);
    addParts(EMBEDDING, own);
    return gradients;
  }
}
