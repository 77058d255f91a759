// In: a model and how to train it. Out: the model, trained while one watches: progress, loss curve, stop button.
import { contentId } from '../common/ids';
import type { Embedder } from '../common/matrix';
import type { EmbeddingDataset } from '../dataset/dataset';
import type { EvaluationResult } from '../evaluate/evaluation';
import { evaluateEmbedder } from '../evaluate/evaluator';
import type { MetricName } from '../evaluate/metrics';
import type { EmbeddingModel } from '../model/embedding-model';
import type { RunRecord } from '../train/run/run-record';
import { type TrainOptions, train } from '../train/train';
import { stoppable } from './cells';
import { lossCurve } from './charts/curves';
import { liveFigure } from './figure';
import { note } from './output';
import { progressBar } from './progress';

type WiredUp = 'evaluate' | 'scoresDependOn' | 'onStart' | 'onStep' | 'onEvaluation' | 'signal';

/** What {@link train} takes, but for what is wired up here. */
export interface LiveTrainingOptions extends Omit<TrainOptions, WiredUp> {
  /** The model, or the model window by window: what is evaluated. */
  embedder: Embedder;
  validation: EmbeddingDataset;
  /** The metric by which the best model is chosen. */
  metric: MetricName;
}

/**
 * Trains as {@link train} does, with a progress bar and the loss curve in the cell's output, redrawn as they grow.
 * When Jupyter's stop button stops it, the best model so far is kept, and the notebook goes on. Run again, it goes on
 * where it stopped, or says why it starts anew.
 *
 * @returns as `train` does, each evaluation with all that was measured: rates and means from 0 to 1
 * @throws Error as `train` does
 */
export async function trainLive(model: EmbeddingModel, options: LiveTrainingOptions) {
  const { embedder, validation, metric, ...rest } = options;
  let record: RunRecord = { steps: [], evaluations: [], stopped: false };
  const curve = () => lossCurve(record, metric);
  const live = liveFigure();
  const progress = progressBar('Training');
  const result = await stoppable((signal) =>
    train(model, {
      ...rest,
      signal,
      evaluate: async () => {
        const { hitRate, metrics } = await evaluateEmbedder(embedder, validation);
        return { score: metrics[metric], measured: { hitRate, metrics } };
      },
      scoresDependOn: {
        'the validation data': contentId(validation.queries, validation.corpus, validation.relevantDocs),
        'the windows of a search': model.search?.windows,
        'the metric': metric,
      },
      onStart: (soFar, message) => {
        record = soFar;
        if (message) note(`Training: ${message}.`);
      },
      onStep: ({ step, totalSteps }) => {
        live.update(curve);
        progress.update(step, totalSteps);
      },
      onEvaluation: () => live.update(curve),
    }),
  );
  progress.finish(result.stopped ? 'stopped; the best model so far is kept, and the next run goes on here' : 'done');
  if (!result.placed) note(`Nothing was better than the base: ${rest.outputDir} keeps the model of an earlier run.`);
  await live.finish(curve());
  return {
    ...result,
    evaluations: result.evaluations.map((report) => ({
      ...report,
      ...(report.measured as Pick<EvaluationResult, 'hitRate' | 'metrics'>),
    })),
  };
}
