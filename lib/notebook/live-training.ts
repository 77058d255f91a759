// In: a model and how to train it. Out: the model, trained while one watches: progress, loss curve, stop button.
import type { EmbedderEvaluation } from '../evaluate/evaluator';
import type { MetricName, Metrics } from '../evaluate/metrics';
import type { EmbeddingModel } from '../model/embedding-model';
import { type TrainOptions, train } from '../train/train';
import { stoppable } from './cells';
import { lossCurve, type TrainingCurve } from './charts/curves';
import { liveFigure } from './figure';
import { progressBar } from './progress';

/** What {@link train} takes, but for what is wired up here. */
export interface LiveTrainingOptions extends Omit<TrainOptions, 'evaluate' | 'onStep' | 'onEvaluation' | 'signal'> {
  /** Measures the model as it is now. */
  evaluate: () => Promise<EmbedderEvaluation>;
  /** The metric by which the best model is chosen. */
  metric: MetricName;
}

/**
 * Trains as {@link train} does, with a progress bar and the loss curve in the cell's output, redrawn as they grow.
 * When Jupyter's stop button stops it, the best model so far is kept, and the notebook goes on.
 *
 * @returns as `train` does, each evaluation with all that was measured: rates and means from 0 to 1
 * @throws Error as `train` does
 */
export async function trainLive(model: EmbeddingModel, options: LiveTrainingOptions) {
  const { evaluate, metric, ...rest } = options;
  const curve: TrainingCurve = { losses: [], evaluations: [], metric };
  const measured: { hitRate: number; metrics: Metrics }[] = [];
  const live = liveFigure();
  const progress = progressBar('Training');
  const result = await stoppable((signal) =>
    train(model, {
      ...rest,
      signal,
      evaluate: async () => {
        const { hitRate, metrics } = await evaluate();
        measured.push({ hitRate, metrics });
        return metrics[metric];
      },
      onStep: ({ step, totalSteps, loss }) => {
        curve.totalSteps = totalSteps;
        curve.losses.push({ step, loss });
        live.update(() => lossCurve(curve));
        progress.update(step, totalSteps);
      },
      onEvaluation: ({ step, score }) => {
        curve.evaluations.push({ step, score });
        live.update(() => lossCurve(curve));
      },
    }),
  );
  progress.finish(result.stopped ? 'stopped; the best model so far is kept' : 'done');
  await live.finish(lossCurve(curve));
  return { ...result, evaluations: result.evaluations.map((report, i) => ({ ...report, ...measured[i] })) };
}
