// In: the vectors of a packed batch's tokens. Out: those after one layer, and the gradient.
//
// A layer's two parts, attention and feed-forward, each read the output h of a norm; what they make is added to a
// residual r, and normalised for the next part:  s = r + part(h),  h′ = norm(s).  The next residual is
//   post-norm, as in BERT:        h′
//   pre-norm, as in ModernBERT:   s      (both: Xiong et al. 2020, arXiv 2002.04745)
// so that norms stand in the same places, and only what is added to differs.
import { ARCHITECTURES } from '../architectures';
import type { EncoderConfig } from '../config';
import { joined, pieces, putBack, take, tf, tidy } from '../tf';
import { type AttentionSaved, attention, attentionGradient, negativeRowSums } from './attention';
import { type Dropout, drop } from './dropout';
import { type FeedForwardSaved, type FeedForwardWeights, feedForward, feedForwardGradients } from './feed-forward';
import { type LayerNormSaved, layerNorm, layerNormGradients, layerNormSaved, type Norm, scaled } from './layer-norm';
import { type Linear, linear, linearGradients } from './linear';
import type { PackedBatch } from './packing';

export interface LayerWeights extends FeedForwardWeights {
  /** [3 · hidden, hidden] */
  qkv: Linear;
  /** [hidden, hidden] */
  out: Linear;
  norm1: Norm;
  norm2: Norm;
  /** What distance adds to the scores of every layer: [buckets, heads] */
  table?: tf.Tensor2D;
}

/** What a layer's computation depends on, besides weights and input. */
export interface LayerPlace {
  config: EncoderConfig;
  index: number;
  batch: PackedBatch;
  /** The rows that matter after attention; all by default. */
  rows?: Int32Array;
  dropout: (place: number, group?: number) => Dropout | undefined;
  /** What the gradient needs is kept, with or without the feed-forward's hidden layer. */
  keep?: { hidden: boolean };
}

/** What a part reads, and what its output is added to, if that is another: [tokens, hidden]; or their gradients. */
export interface Stream {
  normed: tf.Tensor2D;
  residual?: tf.Tensor2D;
}

export interface LayerSaved {
  attention: AttentionSaved[];
  /** [tokens, hidden] */
  context: tf.Tensor2D;
  norm1: LayerNormSaved;
  feedForward: FeedForwardSaved;
  norm2: LayerNormSaved;
}

/** Places of dropout within a layer. */
const PLACES = { attention: 1, attentionOutput: 2, feedForward: 3 };

/** The rows of each group, without copying. */
const byGroup = (x: tf.Tensor2D, batch: PackedBatch): tf.Tensor2D[] =>
  pieces(
    x,
    batch.groups.map(({ rows }) => rows),
  );

const isPreNorm = ({ config }: LayerPlace) => ARCHITECTURES[config.modelType].isPreNorm;

/** What of a layer concerns the attention of one group. */
const settingsOf = ({ table }: LayerWeights, { config, index, dropout }: LayerPlace, group: number) => ({
  dropout: dropout(PLACES.attention, group),
  table,
  rotary: config.rotary?.[index],
});

/** What comes out of a layer, and what its gradient needs of it if that is kept. */
export function layerForward(x: Stream, weights: LayerWeights, place: LayerPlace): { y: Stream; saved?: LayerSaved } {
  return tidy((): { y: Stream; saved?: LayerSaved } => {
    const { batch, rows, dropout, keep } = place;
    const { heads, layerNormEps } = place.config;
    const { context, saved: ofAttention } = tidy(() => {
      const qkv = linear(x.normed, weights.qkv); // [tokens, 3 · hidden]
      const parts = byGroup(qkv, batch).map((own, g) =>
        attention(own, heads, batch.groups[g], settingsOf(weights, place, g)),
      );
      const context = joined(parts.map((part) => part.context)); // [tokens, hidden]
      return { context, saved: keep ? parts.map((part) => part.saved) : [] };
    });
    const attended = linear(take(context, rows), weights.out);
    const dropped = drop(attended, dropout(PLACES.attentionOutput));
    const sum1 = tf.add(take(x.residual ?? x.normed, rows), dropped) as tf.Tensor2D;
    const middle = layerNorm(sum1, weights.norm1, layerNormEps);
    const forwarded = feedForward(middle, weights, !!keep?.hidden, dropout(PLACES.feedForward));
    const sum2 = tf.add(isPreNorm(place) ? sum1 : middle, forwarded.y) as tf.Tensor2D;
    const normed = layerNorm(sum2, weights.norm2, layerNormEps);
    const y = isPreNorm(place) ? { normed, residual: sum2 } : { normed };
    if (!keep) return { y };
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
 * Gradient of the layer's input and weights from that of its output; disposes of what it kept of the feed-forward.
 *
 * @param input makes what attention read again: [tokens, hidden]
 */
export function layerGradients(
  dy: Stream,
  weights: LayerWeights,
  place: LayerPlace,
  saved: LayerSaved,
  input: () => tf.Tensor2D,
) {
  return tidy(() => {
    const { batch, rows, dropout } = place;
    const { heads } = place.config;
    const plus = (a: tf.Tensor2D, b?: tf.Tensor2D) => (b ? (tf.add(a, b) as tf.Tensor2D) : a);
    const stream = (normed: tf.Tensor2D, residual: tf.Tensor2D): Stream =>
      isPreNorm(place) ? { normed, residual } : { normed: plus(residual, normed) };
    const { dx: dNorm2, ...norm2 } = layerNormGradients(dy.normed, weights.norm2, saved.norm2);
    const dSum2 = plus(dNorm2, dy.residual);
    const middle = scaled(saved.norm1.normalized, weights.norm1); // the feed-forward's input
    const dropoutThere = dropout(PLACES.feedForward);
    const forwarded = feedForwardGradients(dSum2, middle, weights, saved.feedForward, dropoutThere);
    tf.dispose([...saved.feedForward, middle]);
    const { dx: dForwarded, ...ofFeedForward } = forwarded;
    const dMiddle = stream(dForwarded, dSum2);
    const { dx: dNorm1, ...norm1 } = layerNormGradients(dMiddle.normed, weights.norm1, saved.norm1);
    const dSum1 = plus(dNorm1, dMiddle.residual);
    const dAttended = drop(dSum1, dropout(PLACES.attentionOutput));
    const { dx: dTaken, ...out } = linearGradients(dAttended, take(saved.context, rows), weights.out);
    const dContext = putBack(dTaken, batch.tokens, rows);
    const dRows = byGroup(negativeRowSums(dContext, saved.context, heads), batch);
    const parts = byGroup(dContext, batch).map((own, g) =>
      attentionGradient(own, dRows[g], heads, batch.groups[g], saved.attention[g], settingsOf(weights, place, g)),
    );
    const dTable = weights.table && tf.addN(parts.map((part) => part.dTable!));
    const dqkv = joined(parts.map((part) => part.dqkv)); // [tokens, 3 · hidden]
    const { dx: dNormed, ...qkv } = linearGradients(dqkv, input(), weights.qkv);
    const dx = stream(dNormed, putBack(dSum1, batch.tokens, rows));
    return { dx, dTable, own: { qkv, out, norm1, ...ofFeedForward, norm2 } };
  });
}
