// In: a model, questions with their chunks, a recipe. Out: the model fine-tuned, saved at its best; the run's record.

import fs from 'node:fs';
import path from 'node:path';
import { withLock } from '../common/lock';
import type { EmbeddingModel } from '../model/embedding-model';
import { WEIGHTS } from '../model/hub/model-folder';
import { loadWeights } from '../model/load';
import type { TrainingFacts } from '../model/model-card';
import { replaceModel } from '../model/save';
import { finishSwap } from '../model/swap';
import { checkPairs, makeBatches, type TrainingPairs } from './batches';
import { type Learner, modelLearner, type Variant } from './learner';
import { checkRecipe, checkWhole, type Recipe } from './recipe';
import { conditionsOf, RunFolder } from './run/checkpoint';
import type { EvaluationReport, RunRecord, StepReport } from './run/run-record';

export interface TrainResult extends RunRecord {
  /** Whether the run's model is in `outputDir`; if not, an earlier one is, as nothing was better than the base. */
  placed: boolean;
}

/** A score, or a score with what else was measured, which must be JSON. */
type Score = number | { score: number; measured: unknown };

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
  evaluate?: (model: EmbeddingModel) => Promise<Score>;
  /** What scores depend on beside the model, by name: a run does not go on from a checkpoint made with others. */
  scoresDependOn?: Record<string, unknown>;
  /** From one checkpoint to the next; 60 by default, 0: after every step. */
  checkpointSeconds?: number;
  /** What the model's card tells, beside the steps; without it there is no card. */
  card?: Omit<TrainingFacts, 'steps' | 'keptStep'>;
  /** Called once, with the run so far, and where it goes on or why it starts anew, if there is something to say. */
  onStart?: (soFar: RunRecord, message?: string) => void;
  onStep?: (report: StepReport) => void;
  onEvaluation?: (report: EvaluationReport) => void;
  /** Stops after the current step; the best model so far is kept, and the next run goes on from there. */
  signal?: AbortSignal;
  /** Another way to train than all weights by the ranking loss, such as `extras.lora({ rank: 8, alpha: 16 })`. */
  variant?: Variant;
}

/**
 * Fine-tunes every weight of a model, in place, on (question, chunk) pairs, from the weights in the model's folder.
 *
 * Evaluates the base model first, then as `evaluationSteps` says. The run works in `outputDir/.run`. When it ends or is
 * stopped with something better than its base, that takes the place of the model in `outputDir`, which goes to
 * `outputDir/.previous`; a base that nothing bettered takes an empty place only. A run that was stopped or killed goes
 * on when it is started again, to the same bytes as without. The event loop turns after each step. When `train`
 * returns, the model holds the best weights.
 *
 * @throws Error before any work if a setting or the data cannot be trained on, or if another process works in
 * `outputDir`; and if the loss stops being a finite number, with the step and the batch's query ids
 */
export async function train(model: EmbeddingModel, options: TrainOptions): Promise<TrainResult> {
  checkRecipe(options.recipe);
  if (options.evaluationSteps !== undefined) checkWhole('EVALUATION_STEPS', options.evaluationSteps);
  checkPairs(options.data);
  return withLock(options.outputDir, () => lockedTrain(model, options));
}

async function lockedTrain(model: EmbeddingModel, options: TrainOptions): Promise<TrainResult> {
  const { outputDir, evaluationSteps, scoresDependOn, checkpointSeconds = 60 } = options;
  finishSwap(outputDir);
  // Each run begins with the base, whatever an earlier one left in memory.
  await loadWeights(model, model.folder);
  if (model.search) model.search = { ...model.search, bm25Weight: undefined };
  const learner = modelLearner(model, options);
  const run = new RunFolder(outputDir);
  let record: RunRecord;
  try {
    const others = { EVALUATION_STEPS: evaluationSteps, ...scoresDependOn };
    const start = run.start(conditionsOf(model, options, learner.method, others));
    if (start.state) learner.restore(start.state);
    options.onStart?.(start.record, start.message);
    let last = performance.now();
    record = await trainingLoop(learner, {
      ...options,
      record: start.record,
      async keepBest(_, step) {
        if (step > 0) await run.keepBest(model, step); // the base is in its own folder
      },
      checkpoint(isDue = performance.now() - last >= 1000 * checkpointSeconds) {
        if (!isDue) return;
        run.save(learner.save(), start.record);
        last = performance.now();
      },
    });
  } finally {
    learner.dispose();
  }
  const placed = await placeBest(model, run, record, options);
  if (!record.stopped) run.remove();
  if (!record.failure) return { ...record, placed };
  const kept = record.best ? 'the best model so far' : 'the model as it was before this step';
  throw new Error(`${record.failure.message} ${outputDir} holds ${placed ? kept : 'the model that was there before'}.`);
}

/** Gives the model the best weights; and its place in `outputDir`, if they better the base or no model is there. */
async function placeBest(
  model: EmbeddingModel,
  run: RunFolder,
  { best, steps, failure }: RunRecord,
  { outputDir, card }: TrainOptions,
): Promise<boolean> {
  if (best) await loadWeights(model, best.step === 0 ? model.folder : run.at(`best-${best.step}`));
  const isBetter = best ? best.step > 0 : !failure;
  if (!isBetter && fs.existsSync(path.join(outputDir, WEIGHTS))) return false;
  await replaceModel(model, outputDir, card && { ...card, steps: steps.length, keptStep: best?.step });
  await loadWeights(model, outputDir); // the run's own folder goes
  return true;
}

export interface LoopOptions<T>
  extends Pick<TrainOptions, 'data' | 'seed' | 'evaluationSteps' | 'onStep' | 'onEvaluation' | 'signal'> {
  recipe: Omit<Recipe, 'windows' | 'dropout'>;
  evaluate?: (current: T) => Promise<Score>;
  keepBest: (current: T, step: number) => Promise<void>;
  /** What was done of the run before: it goes on behind that, and is written down there. */
  record?: RunRecord;
  /** Called where the run could be taken up again; `true`: it stops here. */
  checkpoint?: (isDue?: boolean) => void;
}

/** How often a run evaluates where nobody says, besides at the start. */
const EVALUATIONS = 4;

/** The loop: batches → steps → evaluations. */
export async function trainingLoop<T>(learner: Learner<T>, options: LoopOptions<T>): Promise<RunRecord> {
  const { data, recipe, seed, evaluationSteps, evaluate } = options;
  const result: RunRecord = options.record ?? { steps: [], evaluations: [], stopped: false };
  const batchesOf = (epoch: number) => makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch);
  const stepsPerEpoch = batchesOf(0).length;
  const totalSteps = stepsPerEpoch * recipe.epochs;
  const warmupSteps = Math.floor(totalSteps * recipe.warmupRatio);

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
    const found = await evaluate(current);
    const milliseconds = performance.now() - started;
    const { score, measured } = typeof found === 'number' ? { score: found, measured: undefined } : found;
    const isBest = result.best ? score > result.best.score : !Number.isNaN(score);
    const report = { step, epoch: step / stepsPerEpoch, score, isBest, milliseconds, measured };
    if (isBest) {
      await options.keepBest(current, step);
      result.best = report;
    }
    result.evaluations.push(report);
    options.onEvaluation?.(report);
  };

  if (result.steps.length === 0) await evaluateNow();
  training: for (let epoch = 0; epoch < recipe.epochs; epoch++) {
    for (const [i, batch] of batchesOf(epoch).entries()) {
      const step = epoch * stepsPerEpoch + i + 1;
      if (step <= result.steps.length) continue; // taken before
      await new Promise((resolve) => setImmediate(resolve)); // lets progress bars and "stop" buttons have their turn
      if (options.signal?.aborted) {
        result.stopped = true;
        options.checkpoint?.(true);
        break training;
      }
      const started = performance.now();
      const learningRate = recipe.learningRate * linearSchedule(step - 1, warmupSteps, totalSteps);
      const { loss, gradNorm } = learner.step(batch, step, learningRate);
      if (!Number.isFinite(loss + gradNorm)) {
        const what = Number.isFinite(loss) ? `gradients' norm is ${gradNorm}` : `loss is ${loss}`;
        result.failure = new Error(
          `The ${what} at step ${step}, so training stopped. Try a smaller LEARNING_RATE ` +
            `(it is ${recipe.learningRate}). The batch's queries: ${batch.queryIds.join(', ')}.`,
        );
        break training;
      }
      const milliseconds = performance.now() - started;
      const report = { step, totalSteps, epoch: step / stepsPerEpoch, loss, learningRate, gradNorm, milliseconds };
      result.steps.push(report);
      options.onStep?.(report);
      if (isEvaluated(step)) await evaluateNow();
      options.checkpoint?.();
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
