// In: a model and a batch's token ids. Out: the batch's loss and its gradient with respect to every weight.

import type { Activations, DropoutSettings, NamedTensors } from '../model/bert/encoder';
import { batchesByTokens, packSequences, TOKENS_AT_A_TIME } from '../model/bert/packing';
import type { EmbeddingModel } from '../model/embedding-model';
import { disposeAll, joined, tf, tidy } from '../model/tf';
import type { TrainingBatch } from './batches';
import { type LossBatch, multipleNegativesRankingLoss } from './ranking-loss';

/** A loss over pooled embeddings: questions [questions, hidden], columns' vectors [vectors, hidden] → scalar. */
export type Loss = (questions: tf.Tensor2D, columns: tf.Tensor2D, batch: LossBatch) => tf.Scalar;

/** A batch's texts as token ids. */
export interface TokenizedBatch {
  questions: Int32Array[];
  /** One sequence a chunk, or the sequences of all chunks' windows. */
  chunks: Int32Array[];
  /** For each sequence of `chunks`, the index of its chunk; absent where each chunk is one sequence. */
  chunkOwners?: Int32Array;
  batch: TrainingBatch;
}

/** What the gradients of a batch depend on, besides the model and the batch; and how much memory they may take. */
export interface GradientOptions {
  /** Rate, and a seed that differs from step to step; none: no dropout. */
  dropout?: DropoutSettings;
  loss?: Loss;
  /** The weights to train, word embeddings among them; token ids are rows of these. */
  weights: NamedTensors;
  /** Tokens encoded at a time. */
  tokensPerPart?: number;
  /** So many numbers (520 MB) are kept for the gradient at most; what else it needs is computed again. */
  keptNumbers?: number;
}

/** Distance between the dropout seeds of two parts: more than a run has steps, whose seeds differ by 1. */
const SEED_STRIDE = 1_000_003;

/**
 * The loss of a batch of any size and its gradient with respect to every weight.
 *
 * The texts are encoded part by part; the loss is that of all embeddings; then, part by part, the gradient goes
 * backward from its share of theirs, and the weights' gradients add up. Of a batch that is large, the feed-forwards'
 * hidden layers are computed again for that, which takes a tenth more time; of a larger one, whole parts are, a third
 * (gradient caching: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
 * section 3).
 *
 * The encoder's gradient is written out in `BertEncoder.backward`; TensorFlow.js differentiates only the small loss.
 */
export function lossAndGradients(
  model: EmbeddingModel,
  tokenized: TokenizedBatch,
  {
    dropout,
    loss = multipleNegativesRankingLoss,
    weights,
    tokensPerPart = TOKENS_AT_A_TIME,
    keptNumbers = 130_000_000,
  }: GradientOptions,
): { loss: number; gradients: NamedTensors } {
  const { encoder } = model;
  const sequences = [...tokenized.questions, ...tokenized.chunks];
  const parts = batchesByTokens(sequences, tokensPerPart); // indices, longest first
  const packed = parts.map((indices) => packSequences(indices.map((index) => sequences[index])));
  const tokensFrom = (p: number) => packed.slice(p).reduce((sum, { tokens }) => sum + tokens, 0);
  const { hidden, others } = encoder.keptPerToken;
  const isKept = (p: number) => p === parts.length - 1 || tokensFrom(p) * others <= keptNumbers;
  const isHiddenKept = tokensFrom(0) * (others + hidden) <= keptNumbers;
  const forward = (p: number, keepHidden: boolean) =>
    encoder.forward(weights, packed[p], dropout && { ...dropout, seed: dropout.seed + p * SEED_STRIDE }, keepHidden);

  const kept: (Activations | undefined)[] = [];
  const embedded = parts.map((_, p) => {
    const { embeddings, activations } = forward(p, isHiddenKept); // → [sequences of part, hidden]
    kept.push(isKept(p) ? activations : undefined);
    if (!isKept(p)) disposeAll(activations);
    return embeddings as tf.Tensor2D;
  });
  const embeddings = inOrder(embedded, parts.flat()); // [sequences, hidden]
  const { loss: value, gradient } = lossAndEmbeddingGradient(embeddings, tokenized, loss);
  tf.dispose([embeddings, ...embedded]);

  const gradients: NamedTensors = new Map(); // one a weight, in its shape
  for (let p = parts.length - 1; p >= 0; p--) {
    const again = kept[p] ? undefined : forward(p, true);
    again?.embeddings.dispose();
    const dEmbeddings = tidy(() => tf.gather(gradient, tf.tensor1d(parts[p], 'int32')));
    encoder.backward(weights, kept[p] ?? again!.activations, dEmbeddings, gradients);
    dEmbeddings.dispose();
  }
  gradient.dispose();
  return { loss: value, gradients };
}

/** Rows that belong to `places`, part after part → all rows in their places: [rows, hidden] */
function inOrder(parts: tf.Tensor2D[], places: number[]): tf.Tensor2D {
  const rowOf = Int32Array.from(places.keys()).sort((a, b) => places[a] - places[b]);
  return tidy(() => tf.gather(joined(parts), tf.tensor1d(rowOf, 'int32')) as tf.Tensor2D);
}

/**
 * The loss of a batch's embeddings and its gradient with respect to them.
 *
 * @param embeddings the questions', then those of the chunks or of their windows: [questions + sequences, hidden]
 * @returns the gradient in the same shape; the caller disposes of it
 */
export function lossAndEmbeddingGradient(embeddings: tf.Tensor2D, tokenized: TokenizedBatch, loss: Loss) {
  const questions = tokenized.questions.length;
  const { rows, lossBatch } = columnVectors(tokenized);
  const lossOfEmbeddings = (all: tf.Tensor): tf.Scalar => {
    const asked = tf.slice(all as tf.Tensor2D, [0, 0], [questions, -1]); // [questions, hidden]
    const chunks = tf.slice(all as tf.Tensor2D, [questions, 0]); // [sequences, hidden]
    return loss(asked, tf.gather(chunks, tf.tensor1d(rows, 'int32')), lossBatch);
  };
  const { value, grad } = tf.valueAndGrad(lossOfEmbeddings)(embeddings);
  const result = { loss: value.dataSync()[0], gradient: grad as tf.Tensor2D };
  value.dispose();
  return result;
}

/** The rows that hold the columns' vectors, column after column, among the vectors of the batch's chunks. */
export function columnVectors({ batch, chunkOwners }: Pick<TokenizedBatch, 'batch' | 'chunkOwners'>) {
  if (!chunkOwners) return { rows: batch.columnChunks, lossBatch: batch };
  const rowsOf: number[][] = batch.chunkIds.map(() => []);
  chunkOwners.forEach((chunk, row) => {
    rowsOf[chunk].push(row);
  });
  const columns = Array.from(batch.columnChunks, (chunk) => rowsOf[chunk]);
  const vectorColumns = Int32Array.from(columns.flatMap((rows, column) => rows.map(() => column)));
  return { rows: Int32Array.from(columns.flat()), lossBatch: { ...batch, vectorColumns } };
}
