// In: rankings and the relevant documents. Out: the metrics of sentence-transformers' InformationRetrievalEvaluator.
import type { RankedDocument } from './rankings';

/** Cut-offs of accuracy, precision and recall. */
const CUTOFFS = [1, 3, 5, 10] as const;
const MRR_DEPTH = 10;
const NDCG_DEPTH = 10;
const MAP_DEPTH = 100;

type AtCutoff = `${'Accuracy' | 'Precision' | 'Recall'}@${(typeof CUTOFFS)[number]}`;

/** Names as in the columns of sentence-transformers' CSV. */
export type MetricName = AtCutoff | 'MRR@10' | 'NDCG@10' | 'MAP@100';

/** A value a metric, each between 0 and 1. */
export type Metrics = Record<MetricName, number>;

/** The metrics in the order of the CSV's columns. */
export const METRIC_NAMES: readonly MetricName[] = [
  ...CUTOFFS.map((k): MetricName => `Accuracy@${k}`),
  ...CUTOFFS.flatMap((k): MetricName[] => [`Precision@${k}`, `Recall@${k}`]),
  'MRR@10',
  'NDCG@10',
  'MAP@100',
];

/**
 * All metrics of one query, as `InformationRetrievalEvaluator.compute_metrics` (sentence-transformers 6.2) has them:
 * accuracy is 1 if any relevant document is among the first k; precision divides by k even if fewer were retrieved;
 * NDCG is binary with log2 discounts (Järvelin & Kekäläinen, 2002); average precision divides by min(100, relevant).
 *
 * @param ranking best first; documents beyond what a metric looks at are ignored
 * @param relevant ids of the relevant documents, one or more
 */
export function queryMetrics(ranking: RankedDocument[], relevant: ReadonlySet<string>): Metrics {
  const isRelevant = ranking.slice(0, MAP_DEPTH).map(({ id }) => relevant.has(id));
  const metrics = {} as Metrics;
  for (const k of CUTOFFS) {
    const correct = isRelevant.slice(0, k).filter(Boolean).length;
    metrics[`Accuracy@${k}`] = correct > 0 ? 1 : 0;
    metrics[`Precision@${k}`] = correct / k;
    metrics[`Recall@${k}`] = correct / relevant.size;
  }
  const first = isRelevant.indexOf(true);
  metrics['MRR@10'] = first >= 0 && first < MRR_DEPTH ? 1 / (first + 1) : 0;

  const gain = (hits: boolean[]) =>
    hits.slice(0, NDCG_DEPTH).reduce((sum, hit, i) => sum + (hit ? 1 / Math.log2(i + 2) : 0), 0);
  metrics['NDCG@10'] = gain(isRelevant) / gain(Array(relevant.size).fill(true));

  let correct = 0;
  let precisions = 0;
  for (let i = 0; i < isRelevant.length; i++) if (isRelevant[i]) precisions += ++correct / (i + 1);
  metrics['MAP@100'] = precisions / Math.min(MAP_DEPTH, relevant.size);
  return metrics;
}

/**
 * The mean of each metric over queries.
 * @throws {Error} if there is no query.
 */
export function meanMetrics(perQuery: Metrics[]): Metrics {
  if (perQuery.length === 0) throw new Error('No query has a relevant document: there is nothing to average.');
  const meanOf = (name: MetricName) => perQuery.reduce((sum, metrics) => sum + metrics[name], 0) / perQuery.length;
  return Object.fromEntries(METRIC_NAMES.map((name) => [name, meanOf(name)])) as Metrics;
}
