// The training loop: batches → steps → evaluations; the best model so far is always on disk.

import type { WindowSettings } from '../common/windows';
import { cachedLossAndGradients } from '../extras/grad-cache';
import type { LoraSettings } from '../extras/lora';
import type { EmbeddingModel } from '../model/embedding-model';
import { loadWeights } from '../model/load';
import { saveModel } from '../model/save';
import { disposeAll } from '../model/tf';
import { windowSequences } from '../model/tokenizer';
import { linearSchedule } from './adamw';
import { makeBatches, type TrainingBatch, type TrainingPairs } from './batches';
import type { Recipe } from './recipe';
import { type Loss, lossAndGradients, type TokenizedBatch } from './step';
import { trainAllWeights, trainLora } from './trained-weights';

/** One finished step. */
export interface StepReport {
  /** Counts from 1. */
  step: number;
  totalSteps: number;
  epoch: number;
  loss: number;
  learningRate: number;
  /** Global norm of the gradients before clipping. */
  gradNorm: number;
  milliseconds: number;
}

/** One finished evaluation. */
export interface EvaluationReport {
  /** Steps taken so far; 0 is the base model. */
  step: number;
  epoch: number;
  /** The number by which models are chosen, such as MAP@100. */
  score: number;
  /** Whether it is the best so far, and so what `outputDir` now holds. */
  isBest: boolean;
  milliseconds: number;
}

/** What {@link train} needs. */
export interface TrainOptions {
  data: TrainingPairs;
  recipe: Recipe;
  /** Where the best model is kept, in the sentence-transformers layout. */
  outputDir: string;
  seed: number;
  /** Evaluates after every so many steps, besides at the start and at each epoch's end. */
  evaluationSteps: number;
  /** Scores the model as it is now, higher is better. Without it the last weights are kept. */
  evaluate?: (model: EmbeddingModel) => Promise<number>;
  onStep?: (report: StepReport) => void;
  onEvaluation?: (report: EvaluationReport) => void;
  /** Stops after the current step; the best model so far is kept. */
  signal?: AbortSignal;
  loss?: Loss;
  /** Changes a batch before its step: masks known positives or false negatives, adds hard negatives. */
  prepareBatch?: (batch: TrainingBatch) => TrainingBatch;
  /** Trains by gradient caching in mini-batches of so many tokens: batches of any size in the memory of one. */
  tokensPerMiniBatch?: number;
  /** Trains low-rank updates (LoRA) in place of all weights. */
  lora?: LoraSettings;
}

/** What a run left behind. */
export interface TrainResult {
  steps: StepReport[];
  evaluations: EvaluationReport[];
  /** The evaluation whose model `outputDir` holds; undefined without `evaluate`. */
  best?: EvaluationReport;
  /** Whether the signal stopped it. */
  stopped: boolean;
}

const breathe = () => new Promise((resolve) => setImmediate(resolve));

function checkOptions({ data, recipe, evaluationSteps }: TrainOptions): void {
  const refuse = (name: string, value: unknown, range: string) =>
    new Error(`${name} is ${value}; it must be ${range}.`);
  const whole = (value: number) => Number.isInteger(value) && value >= 1;
  if (!whole(recipe.epochs)) throw refuse('EPOCHS', recipe.epochs, 'a whole number from 1');
  if (!whole(recipe.batchSize)) throw refuse('BATCH_SIZE', recipe.batchSize, 'a whole number from 1');
  if (!(recipe.learningRate > 0 && recipe.learningRate < 1))
    throw refuse('LEARNING_RATE', recipe.learningRate, 'above 0 and below 1');
  if (!(recipe.dropout >= 0 && recipe.dropout < 1)) throw refuse('DROPOUT', recipe.dropout, 'from 0 to below 1');
  const { layerDecay = 1 } = recipe;
  if (!(layerDecay > 0 && layerDecay <= 1)) throw refuse('layerDecay', layerDecay, 'above 0 and at most 1');
  if (!whole(evaluationSteps)) throw refuse('EVALUATION_STEPS', evaluationSteps, 'a whole number from 1');
  for (const queryId of Object.keys(data.queries)) {
    const chunkIds = data.relevantDocs[queryId] ?? [];
    if (chunkIds.length === 0) throw new Error(`Query ${queryId} has no relevant document to train on.`);
    const unknown = chunkIds.find((id) => data.corpus[id] === undefined);
    if (unknown !== undefined)
      throw new Error(`Query ${queryId} refers to document ${unknown}, which the corpus lacks.`);
  }
  const chunks = new Set(Object.keys(data.queries).map((id) => data.relevantDocs[id]?.[0]));
  if (chunks.size < 2) {
    throw new Error(
      `The training data has questions about ${chunks.size} chunk(s); the loss compares chunks with each other and needs at least 2.`,
    );
  }
}

/** Token ids of every text, made once: one sequence a text, or one a window. */
function tokenizeAll(
  model: EmbeddingModel,
  texts: Record<string, string>,
  windows?: WindowSettings,
): Map<string, Int32Array[]> {
  const sequences = (text: string) =>
    windows ? windowSequences(model.tokenizer, text, windows, model.maxSeqLength) : [model.tokenize(text)];
  return new Map(Object.entries(texts).map(([id, text]) => [id, sequences(text)]));
}

/**
 * Fine-tunes every weight of a model, in place, on (question, chunk) pairs.
 *
 * Evaluates the base model first, then every `evaluationSteps` steps and at each epoch's end, and keeps the best in `outputDir`, so
 * that a run never ends below its base. The event loop turns after each step. When it returns, the model holds the best weights.
 *
 * @throws Error before any work if a setting or the data cannot be trained on; and if the loss stops being a finite number, with the
 * step and the batch's query ids (the best model so far stays in `outputDir`)
 */
export async function train(model: EmbeddingModel, options: TrainOptions): Promise<TrainResult> {
  checkOptions(options);
  const { data, recipe, seed, evaluate, outputDir } = options;
  const questions = tokenizeAll(model, data.queries);
  const chunks = tokenizeAll(model, data.corpus, recipe.windows);
  const trained = options.lora
    ? trainLora(model, options.lora, seed)
    : trainAllWeights(model, [...questions.values(), ...chunks.values()].flat(), recipe.layerDecay);
  const stepsPerEpoch = makeBatches(data, recipe.batching, recipe.batchSize, seed, 0, recipe.neighbours).length;
  const totalSteps = stepsPerEpoch * recipe.epochs;
  const warmupSteps = Math.floor(totalSteps * recipe.warmupRatio);
  const result: TrainResult = { steps: [], evaluations: [], stopped: false };

  const evaluateNow = async (step: number, epoch: number) => {
    if (!evaluate) return;
    trained.publish();
    const started = performance.now();
    const score = await evaluate(model);
    const isBest = !(score <= (result.best?.score ?? Number.NEGATIVE_INFINITY));
    const milliseconds = performance.now() - started;
    const report: EvaluationReport = { step, epoch, score, isBest, milliseconds };
    if (isBest) {
      await saveModel(model, outputDir);
      result.best = report;
    }
    result.evaluations.push(report);
    options.onEvaluation?.(report);
  };

  const takeStep = (batch: TrainingBatch, step: number, epoch: number) => {
    const started = performance.now();
    const chunkSequences = batch.chunkIds.map((id) => chunks.get(id)!);
    const tokenized: TokenizedBatch = {
      questions: batch.queryIds.map((id) => trained.rows(questions.get(id)![0])),
      chunks: chunkSequences.flat().map((sequence) => trained.rows(sequence)),
      batch,
    };
    if (recipe.windows)
      tokenized.chunkOwners = Int32Array.from(chunkSequences.flatMap((own, chunk) => own.map(() => chunk)));
    const dropout = recipe.dropout > 0 ? { rate: recipe.dropout, seed: seed * 100_003 + step } : undefined;
    const { weights } = trained;
    const { tokensPerMiniBatch } = options;
    const { loss, gradients } = tokensPerMiniBatch
      ? cachedLossAndGradients(model, tokenized, { dropout, loss: options.loss, weights, tokensPerMiniBatch })
      : lossAndGradients(model, tokenized, { dropout, loss: options.loss, weights });
    const notFinite = (what: string, value: number) =>
      new Error(
        `The ${what} is ${value} at step ${step}, so training stopped. Try a smaller LEARNING_RATE (it is ${recipe.learningRate}). ` +
          `The ${evaluate ? 'best model so far' : 'model as it was before this step'} is in ${outputDir}. ` +
          `The batch's queries: ${batch.queryIds.join(', ')}`,
      );
    if (!Number.isFinite(loss)) {
      disposeAll([...gradients.values()]);
      throw notFinite('loss', loss);
    }
    const learningRate = recipe.learningRate * linearSchedule(step - 1, warmupSteps, totalSteps);
    const gradNorm = trained.step(gradients, learningRate);
    if (!Number.isFinite(gradNorm)) throw notFinite("gradients' norm", gradNorm);
    const report = { step, totalSteps, epoch, loss, learningRate, gradNorm, milliseconds: performance.now() - started };
    result.steps.push(report);
    options.onStep?.(report);
  };

  try {
    await evaluateNow(0, 0);
    let step = 0;
    training: for (let epoch = 0; epoch < recipe.epochs; epoch++) {
      for (const batch of makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch, recipe.neighbours)) {
        await breathe();
        if (options.signal?.aborted) {
          result.stopped = true;
          break training;
        }
        step++;
        takeStep(options.prepareBatch?.(batch) ?? batch, step, step / stepsPerEpoch);
        // Counted anew in each epoch, as sentence-transformers' fit() counts.
        const stepInEpoch = ((step - 1) % stepsPerEpoch) + 1;
        if (stepInEpoch === stepsPerEpoch || stepInEpoch % options.evaluationSteps === 0)
          await evaluateNow(step, step / stepsPerEpoch);
      }
    }
  } finally {
    trained.dispose();
    // Also after an error: what the run reached is not lost.
    if (result.best) loadWeights(model, outputDir);
    else await saveModel(model, outputDir);
  }
  return result;
}
