// In: embedders and evaluations. Out: evaluations, with progress; rows for `table`: how two differ and whether by luck,
// group by group, what each search costs, and what windows mean for a corpus.
import type { Embedder } from '../common/matrix';
import { type WindowSettings, windowRanges } from '../common/windows';
import type { EmbeddingDataset } from '../dataset/dataset';
import { type EvaluationResult, groupResults, type QueryResult } from '../evaluate/evaluation';
import { type EmbedderEvaluation, evaluateEmbedder } from '../evaluate/evaluator';
import type { LoggedRun } from '../evaluate/result-files';
import { type ComparedMetric, compareResults, metricInterval } from '../evaluate/significance';
import { roomOf } from '../evaluate/windowed-embedder';
import type { EmbeddingModel } from '../model/embedding-model';
import type { CardResult } from '../model/model-card';
import { progressBar } from './progress';
import type { Row } from './table';

/** Evaluates as `evaluateEmbedder` does, with a progress bar under the embedder's name. */
export async function evaluateWithProgress(
  embedder: Embedder,
  dataset: EmbeddingDataset,
  options: { topK?: number; windowTemperature?: number } = {},
): Promise<EmbedderEvaluation> {
  const bar = progressBar(embedder.name);
  const evaluation = await evaluateEmbedder(embedder, dataset, { ...options, onProgress: bar.update });
  bar.finish('done');
  return evaluation;
}

const labelOf = (metric: ComparedMetric, topK: number): string => (metric === 'hitRate' ? `hit rate@${topK}` : metric);

/**
 * Metrics, and what of them is luck of the draw: the 95% intervals of the bootstrap over questions. For a log, and as
 * rows of a table, one a retriever, with the intervals of hit rate and MAP@100 alone.
 */
export function summarize(evaluations: EvaluationResult[], metrics: ComparedMetric[]) {
  const rows: Row[] = [];
  const results: LoggedRun['results'] = {};
  const intervals: Required<LoggedRun>['intervals'] = {};
  for (const result of evaluations) {
    const { name } = result;
    const row: Row = { retriever: name };
    rows.push(row);
    results[name] = {};
    intervals[name] = {};
    for (const metric of metrics) {
      const label = labelOf(metric, result.topK);
      const { mean, low, high } = metricInterval(result, metric);
      row[label] = results[name][label] = mean;
      intervals[name][label] = [low, high];
      if (metric === 'hitRate' || metric === 'MAP@100') row[`${label}: 95%`] = `${low.toFixed(3)}–${high.toFixed(3)}`;
    }
  }
  return { rows, results, intervals };
}

/** The rows of a model card: {@link summarize}'s results, those of `names` in this order. */
export function cardResults(summary: ReturnType<typeof summarize>, names: string[]): CardResult[] {
  const { results, intervals } = summary;
  return names.map((retriever) => {
    const metrics = Object.entries(intervals[retriever]).map(([metric, [low, high]]) => {
      return [metric, { value: results[retriever][metric], low, high }];
    });
    return { retriever, metrics: Object.fromEntries(metrics) };
  });
}

/** A row a metric: before, after, their difference with its 95% interval, and the p-value of a permutation test. */
export function comparisonRows(before: EvaluationResult, after: EvaluationResult, metrics: ComparedMetric[]): Row[] {
  return metrics.map((metric) => {
    const compared = compareResults(before, after, { metric });
    const { mean, low, high } = compared.difference;
    return {
      metric: labelOf(metric, before.topK),
      [before.name]: compared.before.mean,
      [after.name]: compared.after.mean,
      difference: mean,
      '95% interval': `${low.toFixed(3)} to ${high.toFixed(3)}`,
      'p-value': compared.pValue.toFixed(4),
    };
  });
}

/**
 * A row a group of questions, largest first: how many there are, and hit rate and MAP@100 before and after.
 * @param by the column's name, such as `type`
 */
export function groupRows(
  by: string,
  before: EvaluationResult,
  after: EvaluationResult,
  groupOf: (query: QueryResult) => string,
): Row[] {
  const hitRate = labelOf('hitRate', before.topK);
  const second = groupResults(after, groupOf);
  return [...groupResults(before, groupOf)]
    .sort(([, a], [, b]) => b.perQuery.length - a.perQuery.length)
    .map(([name, first]) => ({
      [by]: name,
      questions: first.perQuery.length,
      [`${before.name}: ${hitRate}`]: first.hitRate,
      [`${after.name}: ${hitRate}`]: second.get(name)?.hitRate,
      [`${before.name}: MAP@100`]: first.metrics['MAP@100'],
      [`${after.name}: MAP@100`]: second.get(name)?.metrics['MAP@100'],
    }));
}

/** A row an embedder: what a chunk takes in its index, seconds to make it, ms a question, and what it finds. */
export function costRows(evaluations: EmbedderEvaluation[]): Row[] {
  return evaluations.map(({ name, cost, documents, metrics }) => {
    const chunks = new Set(documents.owners).size;
    return {
      retriever: name,
      'vectors a chunk': Math.round(cost.vectors / chunks),
      'KB a chunk': Math.round((10 * cost.indexBytes) / 1024 / chunks) / 10,
      'index made in s': cost.indexSeconds,
      'ms a question': Math.round(cost.queryMilliseconds),
      'MAP@100': metrics['MAP@100'],
    };
  });
}

/**
 * How much of a corpus is read and how many vectors its index holds, a chunk on average.
 * @param windows those that a search embeds; without, a chunk is cut at what the model reads, and has one vector
 */
export function windowRow(model: EmbeddingModel, corpus: Record<string, string>, windows?: WindowSettings): Row {
  const texts = Object.values(corpus);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const lengths = texts.map((text) => model.tokenizer.encodeWhole(text).length);
  const read = lengths.map((length) => (windows ? length : Math.min(length, roomOf(model))));
  const vectors = lengths.map((length) => (windows ? windowRanges(length, windows.size, windows.stride).length : 1));
  return {
    'word pieces a chunk': Math.round(mean(lengths)),
    'of them read': `${Math.round((100 * mean(read)) / mean(lengths))}%`,
    'vectors a chunk, in a search': mean(vectors),
  };
}
