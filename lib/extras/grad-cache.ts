// In: a batch of any size. Out: its loss and gradients as lossAndGradients, in the memory of a mini-batch (gradient
// caching: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", section 3).
//
// 1. Embed all texts, mini-batch by mini-batch, keeping nothing but the embeddings.
// 2. The loss over all embeddings, and its gradient with respect to each of them: the cache.
// 3. Mini-batch by mini-batch: encode again, go backward from the cached gradient, add up the weights' gradients.
import type { Activations, DropoutSettings, NamedTensors } from '../model/bert/encoder';
import { batchesByTokens, packSequences } from '../model/bert/packing';
import type { EmbeddingModel } from '../model/embedding-model';
import { disposeAll, tf, tidy } from '../model/tf';
import type { Variant } from '../train/learner';
import { multipleNegativesRankingLoss } from '../train/ranking-loss';
import { checkWhole } from '../train/recipe';
import { type GradientOptions, lossAndEmbeddingGradient, type TokenizedBatch } from '../train/step';

/** 16 texts of 512 tokens. */
const TOKENS_PER_MINI_BATCH = 8192;

/** Distance between the dropout seeds of two mini-batches: more than a run has steps, whose seeds differ by 1. */
const SEED_STRIDE = 1_000_003;

/**
 * Trains by gradient caching: batches of any size in the memory of a mini-batch, the same steps.
 *
 * Use it for batches whose activations don't fit: more chunks a batch are more negatives for every question. It costs a
 * second encoding of all but the last mini-batch, about a third more time. A batch that fits one mini-batch is encoded
 * once, as plainly.
 *
 * @param tokensPerMiniBatch tokens encoded at a time; memory grows with it, not with the batch. One text may exceed it
 * @throws Error if it is no whole number from 1
 */
export function gradientCaching(tokensPerMiniBatch = TOKENS_PER_MINI_BATCH): Variant {
  checkWhole('tokensPerMiniBatch', tokensPerMiniBatch);
  return (method) => ({
    ...method,
    name: `${method.name}, gradient caching ${tokensPerMiniBatch}`,
    lossAndGradients: (model, tokenized, options) =>
      cachedLossAndGradients(model, tokenized, { ...options, tokensPerMiniBatch }),
  });
}

/** Adds `more` to `sum`, weight by weight; disposes of what it replaces. */
function addGradients(sum: NamedTensors, more: NamedTensors): void {
  for (const [name, gradient] of more) {
    const before = sum.get(name);
    sum.set(name, before ? tf.add(before, gradient) : gradient);
    if (before) tf.dispose([before, gradient]);
  }
}

/**
 * The loss of a batch and its gradient with respect to every weight, as `lossAndGradients`, at a memory that does not
 * grow with the batch. Dropout draws the same masks in both passes.
 */
export function cachedLossAndGradients(
  model: EmbeddingModel,
  tokenized: TokenizedBatch,
  {
    dropout,
    loss = multipleNegativesRankingLoss,
    weights = model.weights,
    tokensPerMiniBatch = TOKENS_PER_MINI_BATCH,
  }: GradientOptions & { tokensPerMiniBatch?: number } = {},
): { loss: number; gradients: NamedTensors } {
  const sequences = [...tokenized.questions, ...tokenized.chunks];
  const miniBatches = batchesByTokens(sequences, tokensPerMiniBatch);
  const last = miniBatches.length - 1;
  const packed = (m: number) => packSequences(miniBatches[m].map((index) => sequences[index]));
  const dropoutOf = (m: number): DropoutSettings | undefined =>
    dropout && { ...dropout, seed: dropout.seed + m * SEED_STRIDE };

  // Shortest texts last: what stays of that mini-batch while the loss is computed is the least.
  const embeddings: tf.Tensor2D[] = [];
  let activations: Activations | undefined;
  for (let m = 0; m <= last; m++) {
    if (m < last && !dropout) {
      embeddings.push(model.encoder.infer(weights, packed(m)));
      continue;
    }
    const forward = model.encoder.forward(weights, packed(m), dropoutOf(m));
    embeddings.push(forward.embeddings as tf.Tensor2D);
    if (m < last) disposeAll(forward.activations);
    else activations = forward.activations;
  }

  const order = miniBatches.flat();
  const placeOf = Int32Array.from(order.keys()).sort((a, b) => order[a] - order[b]);
  const inOrder = tidy(() => tf.gather(tf.concat(embeddings, 0), tf.tensor1d(placeOf, 'int32')) as tf.Tensor2D);
  tf.dispose(embeddings);
  const { loss: value, gradient } = lossAndEmbeddingGradient(inOrder, tokenized, loss);
  inOrder.dispose();

  const gradients: NamedTensors = new Map();
  for (let m = last; m >= 0; m--) {
    if (!activations) {
      const forward = model.encoder.forward(weights, packed(m), dropoutOf(m));
      forward.embeddings.dispose();
      activations = forward.activations;
    }
    const own = tidy(() => tf.gather(gradient, tf.tensor1d(miniBatches[m], 'int32')));
    addGradients(gradients, model.encoder.backward(weights, activations, own));
    own.dispose();
    activations = undefined;
  }
  gradient.dispose();
  return { loss: value, gradients };
}
