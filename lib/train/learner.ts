// In: a model and a run's texts. Out: what the loop drives, batch → update. Here extras put other ways to train.

import type { WindowSettings } from '../common/windows';
import type { EmbeddingModel } from '../model/embedding-model';
import { tf } from '../model/tf';
import { type Tokenizer, windowSequences } from '../model/tokenizer';
import type { TrainingBatch, TrainingPairs } from './batches';
import { multipleNegativesRankingLoss } from './ranking-loss';
import type { Recipe } from './recipe';
import { type Loss, lossAndGradients, type TokenizedBatch } from './step';
import { type TrainedWeights, trainAllWeights } from './trained-weights';

/** What the training loop drives: something that learns from batches. */
export interface Learner<T> {
  /**
   * Learns from one batch.
   *
   * @param step counts from 1 over the whole run
   * @returns the loss, and the gradients' global norm before clipping; if one is not finite, nothing has changed
   */
  step(batch: TrainingBatch, step: number, learningRate: number): { loss: number; gradNorm: number };
  /** What has been learnt so far, to be evaluated and kept. */
  publish(): T;
  /** Ends learning and frees what only learning needed. */
  dispose(): void;
}

/** How a model learns from a batch. A {@link Variant} puts something else in the place of a part, or around it. */
export interface Method {
  /** Its parts with their settings, in words: no run goes on from another method's checkpoint. */
  name: string;
  /** Changes a batch before its step: adds hard negatives, masks false ones. */
  prepareBatch: (batch: TrainingBatch) => TrainingBatch;
  loss: Loss;
  lossAndGradients: typeof lossAndGradients;
  /** What is trained, given the token ids of all texts. */
  trainedWeights: (model: EmbeddingModel, sequences: Int32Array[], seed: number) => TrainedWeights;
}

/** Another way to train: a method → the changed one. The extras make variants; `extras.combine` joins several. */
export type Variant = (method: Method) => Method;

/** All weights, by the ranking loss of the batch as it is. */
export const PLAIN: Method = {
  name: 'all weights',
  prepareBatch: (batch) => batch,
  loss: multipleNegativesRankingLoss,
  lossAndGradients,
  trainedWeights: trainAllWeights,
};

export interface LearnerOptions {
  data: TrainingPairs;
  recipe: Recipe;
  seed: number;
  variant?: Variant;
}

/** A {@link Learner} that can go on where another stopped. */
export interface ModelLearner extends Learner<EmbeddingModel>, Pick<TrainedWeights, 'save' | 'restore'> {
  method: string;
}

/** A model that learns, in place. All texts are tokenized here, once. */
export function modelLearner(
  model: EmbeddingModel,
  { data, recipe, seed, variant = (method) => method }: LearnerOptions,
): ModelLearner {
  const method = variant(PLAIN);
  const { queryTokenizer, documentTokenizer, maxSeqLength } = model;
  const questions = tokenizeAll(queryTokenizer, data.queries, maxSeqLength);
  const chunks = tokenizeAll(documentTokenizer, data.corpus, maxSeqLength, recipe.windows);
  const trained = method.trainedWeights(model, [...questions.values(), ...chunks.values()].flat(), seed);

  const tokenized = (batch: TrainingBatch): TokenizedBatch => {
    const ofChunks = batch.chunkIds.map((id) => chunks.get(id)!);
    return {
      questions: batch.queryIds.map((id) => trained.rows(questions.get(id)![0])),
      chunks: ofChunks.flat().map((sequence) => trained.rows(sequence)),
      chunkOwners: recipe.windows && Int32Array.from(ofChunks.flatMap((own, chunk) => own.map(() => chunk))),
      batch,
    };
  };

  return {
    ...trained, // save, restore and dispose
    method: `${method.name} ${variant}`, // its source too: a variant written in a cell is changed there
    step(batch, step, learningRate) {
      const options = {
        dropout: recipe.dropout > 0 ? { rate: recipe.dropout, seed: seed * 100_003 + step } : undefined,
        loss: method.loss,
        weights: trained.weights,
      };
      const { loss, gradients } = method.lossAndGradients(model, tokenized(method.prepareBatch(batch)), options);
      if (Number.isFinite(loss)) return { loss, gradNorm: trained.step(gradients, learningRate) };
      tf.dispose([...gradients.values()]);
      return { loss, gradNorm: Number.NaN };
    },
    publish() {
      trained.publish();
      return model;
    },
  };
}

/** Token ids of every text: one sequence a text, or one a window. */
function tokenizeAll(tokenizer: Tokenizer, texts: Record<string, string>, length: number, windows?: WindowSettings) {
  const sequences = (text: string) =>
    windows ? windowSequences(tokenizer, text, windows, length) : [tokenizer.encode(text, length)];
  return new Map(Object.entries(texts).map(([id, text]) => [id, sequences(text)]));
}
