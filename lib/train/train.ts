// In: a model, questions with their chunks, a recipe. Out: the model fine-tuned, saved at its best; the run's record.

import type { EmbeddingModel } from '../model/embedding-model';
import { loadWeights } from '../model/load';
import { saveModel } from '../model/save';
import { checkPairs, makeBatches, type TrainingBatch, type TrainingPairs } from './batches';
import { type Learner, modelLearner, type Variant } from './learner';
import { checkRecipe, checkWhole, type Recipe } from './recipe';

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
  /** Whether it is the best so far, and so what is kept. */
  isBest: boolean;
  milliseconds: number;
}

/** What a run left behind. */
export interface TrainResult {
  steps: StepReport[];
  evaluations: EvaluationReport[];
  /** The evaluation whose model is kept; undefined where none gave a number: then the last weights are kept. */
  best?: EvaluationReport;
  /** Whether the signal stopped it. */
  stopped: boolean;
}

/** What {@link train} needs. */
export interface TrainOptions {
  data: TrainingPairs;
  recipe: Recipe;
  /** Where the best model is kept, in the sentence-transformers layout. */
  outputDir: string;
  seed: number;
  /**
   * Evaluates after every so many steps, besides at the start and at each epoch's end. Without it, the start and four
   * times more, evenly over the run.
   */
  evaluationSteps?: number;
  /** Scores the model as it is now, higher is better; NaN is never best. Without it the last weights are kept. */
  evaluate?: (model: EmbeddingModel) => Promise<number>;
  onStep?: (report: StepReport) => void;
  onEvaluation?: (report: EvaluationReport) => void;
  /** Stops after the current step; the best model so far is kept. */
  signal?: AbortSignal;
  /** Another way to train than all weights by the ranking loss, such as `extras.lora({ rank: 8, alpha: 16 })`. */
  variant?: Variant;
}

/**
 * Fine-tunes every weight of a model, in place, on (question, chunk) pairs.
 *
 * Evaluates the base model first, then as `evaluationSteps` says, and keeps the best in `outputDir`, so that a run
 * never ends below its base. The event loop turns after each step. When it returns, the
 * model holds the best weights.
 *
 * @throws Error before any work if a setting or the data cannot be trained on; and if the loss stops being a finite
 * number, with the step and the batch's query ids (the best model so far stays in `outputDir`)
 */
export async function train(model: EmbeddingModel, options: TrainOptions): Promise<TrainResult> {
  checkRecipe(options.recipe);
  if (options.evaluationSteps !== undefined) checkWhole('EVALUATION_STEPS', options.evaluationSteps);
  checkPairs(options.data);
  const { outputDir } = options;
  const learner = modelLearner(model, options);
  let hasBest = false;
  const keepBest = async () => {
    await saveModel(model, outputDir);
    hasBest = true;
  };
  try {
    return await trainingLoop(learner, { ...options, keepBest });
  } finally {
    learner.dispose();
    // Also after an error: what the run reached is not lost.
    if (hasBest) loadWeights(model, outputDir);
    else await saveModel(model, outputDir);
  }
}

/** What {@link trainingLoop} needs, for a learner that gives a `T`. */
export interface LoopOptions<T> extends Omit<TrainOptions, 'recipe' | 'outputDir' | 'evaluate' | 'variant'> {
  recipe: Omit<Recipe, 'windows' | 'dropout'>;
  evaluate?: (current: T) => Promise<number>;
  keepBest: (current: T) => Promise<void>;
  /** Where it is kept, for messages. */
  outputDir?: string;
}

/** How often a run evaluates where nobody says, besides at the start. */
const EVALUATIONS = 4;

/** The loop: batches → steps → evaluations. */
export async function trainingLoop<T>(learner: Learner<T>, options: LoopOptions<T>): Promise<TrainResult> {
  const { data, recipe, seed, evaluationSteps, evaluate } = options;
  const batchesOf = (epoch: number) => makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch);
  const stepsPerEpoch = batchesOf(0).length;
  const totalSteps = stepsPerEpoch * recipe.epochs;
  const warmupSteps = Math.floor(totalSteps * recipe.warmupRatio);
  const result: TrainResult = { steps: [], evaluations: [], stopped: false };

  const isEvaluated = (step: number) => {
    if (!evaluationSteps) return step === totalSteps || step % Math.ceil(totalSteps / EVALUATIONS) === 0;
    // Counted anew in each epoch, as sentence-transformers' fit() counts.
    const inEpoch = ((step - 1) % stepsPerEpoch) + 1;
    return inEpoch === stepsPerEpoch || inEpoch % evaluationSteps === 0;
  };

  const evaluateNow = async () => {
    if (!evaluate) return;
    const step = result.steps.length;
    const current = learner.publish();
    const started = performance.now();
    const score = await evaluate(current);
    const milliseconds = performance.now() - started;
    const isBest = result.best ? score > result.best.score : !Number.isNaN(score);
    const report = { step, epoch: step / stepsPerEpoch, score, isBest, milliseconds };
    if (isBest) {
      await options.keepBest(current);
      result.best = report;
    }
    result.evaluations.push(report);
    options.onEvaluation?.(report);
  };

  const notFinite = (loss: number, gradNorm: number, step: number, { queryIds }: TrainingBatch) => {
    const what = Number.isFinite(loss) ? `gradients' norm is ${gradNorm}` : `loss is ${loss}`;
    const kept = result.best ? 'The best model so far' : 'The model as it was before this step';
    return new Error(
      `The ${what} at step ${step}, so training stopped. Try a smaller LEARNING_RATE (it is ${recipe.learningRate}). ` +
        (options.outputDir ? `${kept} is in ${options.outputDir}. ` : '') +
        `The batch's queries: ${queryIds.join(', ')}`,
    );
  };

  await evaluateNow();
  training: for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    for (const batch of batchesOf(epoch)) {
      await new Promise((resolve) => setImmediate(resolve)); // lets progress bars and "stop" buttons have their turn
      if (options.signal?.aborted) {
        result.stopped = true;
        break training;
      }
      const started = performance.now();
      const step = result.steps.length + 1;
      const learningRate = recipe.learningRate * linearSchedule(step - 1, warmupSteps, totalSteps);
      const { loss, gradNorm } = learner.step(batch, step, learningRate);
      if (!Number.isFinite(loss + gradNorm)) throw notFinite(loss, gradNorm, step, batch);
      const milliseconds = performance.now() - started;
      const report = { step, totalSteps, epoch: step / stepsPerEpoch, loss, learningRate, gradNorm, milliseconds };
      result.steps.push(report);
      options.onStep?.(report);
      if (isEvaluated(step)) await evaluateNow();
    }
  }
  if (evaluate && !result.best)
    console.warn(
      `None of the ${result.evaluations.length} evaluations gave a number, so that no model is best: ` +
        'the last weights are kept. Look at what `evaluate` returns.',
    );
  return result;
}

/** Share of the learning rate: a linear rise over `warmupSteps`, then a fall to 0 at `totalSteps`; from step 0 on. */
export function linearSchedule(step: number, warmupSteps: number, totalSteps: number): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  return Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps));
}
