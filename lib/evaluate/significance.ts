// In: evaluations. Out: how far their numbers, and the difference of two, can be trusted.
import { seededRandom } from '../common/random';
import { checkSameQueries, type EvaluationResult } from './evaluation';
import type { MetricName } from './metrics';

/** Hit rate at the evaluation's `topK`, or any metric. */
export type ComparedMetric = MetricName | 'hitRate';

const RESAMPLES = 10_000;
const SEED = 42;

const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The metric of each query, in the dataset's order. */
export function perQueryValues(result: EvaluationResult, metric: ComparedMetric): number[] {
  return result.perQuery.map((query) => (metric === 'hitRate' ? Number(query.isHit) : query.metrics[metric]));
}

/**
 * Means and their 95% percentile bootstrap intervals over 10,000 resamples of the queries (Efron & Tibshirani, 1993,
 * "An Introduction to the Bootstrap", section 13.3), the same ones for each of `lists[which][query]`.
 */
export function bootstrapIntervals(lists: number[][]) {
  const count = lists[0].length;
  const random = seededRandom(SEED);
  const means = lists.map(() => new Float64Array(RESAMPLES));
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const sums = new Float64Array(lists.length);
    for (let i = 0; i < count; i++) {
      const drawn = Math.floor(random() * count);
      for (let which = 0; which < lists.length; which++) sums[which] += lists[which][drawn];
    }
    for (let which = 0; which < lists.length; which++) means[which][resample] = sums[which] / count;
  }
  return lists.map((values, which) => ({ mean: sumOf(values) / count, ...percentiles(means[which]) }));
}

/**
 * Two-sided p-value of the paired permutation (randomisation) test: how often a difference of means at least as large
 * arises if each query's two values are swapped by the toss of a coin, over 10,000 tosses of all (Smucker, Allan &
 * Carterette, 2007, "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation", section
 * 2.1). The observed assignment counts as one, so p is never 0.
 *
 * @param differences after − before, query by query
 */
export function permutationTest(differences: number[]): number {
  const random = seededRandom(SEED);
  const observed = Math.abs(sumOf(differences));
  let asLarge = 1;
  for (let toss = 0; toss < RESAMPLES; toss++) {
    let sum = 0;
    for (const difference of differences) sum += random() < 0.5 ? difference : -difference;
    // Sums of the same numbers in another order of signs differ in their last bits.
    if (Math.abs(sum) >= observed - 1e-9) asLarge++;
  }
  return asLarge / (RESAMPLES + 1);
}

/** A metric of one evaluation, with its 95% bootstrap interval. */
export function metricInterval(result: EvaluationResult, metric: ComparedMetric) {
  return bootstrapIntervals([perQueryValues(result, metric)])[0];
}

/**
 * "Is `after` better than `before`?", answered on the queries both were asked.
 *
 * @returns the intervals of both, and of after − before, query by query: if it leaves 0 out, the difference is more
 *   than luck of the draw; and the two-sided p-value of the paired permutation test
 * @throws {Error} if they are not of the same queries.
 */
export function compareResults(
  before: EvaluationResult,
  after: EvaluationResult,
  { metric = 'hitRate' }: { metric?: ComparedMetric } = {},
) {
  checkSameQueries(before, after);
  const [a, b] = [perQueryValues(before, metric), perQueryValues(after, metric)];
  const differences = b.map((value, i) => value - a[i]);
  const [ofBefore, ofAfter, difference] = bootstrapIntervals([a, b, differences]);
  return { before: ofBefore, after: ofAfter, difference, pValue: permutationTest(differences) };
}

/** Hit rate at each k from 1 to `maxK`, with its 95% bootstrap band (the same resamples at every k). */
export function hitRatesOverK(result: EvaluationResult, { maxK }: { maxK: number }) {
  const ranks = result.perQuery.map(({ rank }) => rank ?? Number.POSITIVE_INFINITY);
  const hits = Array.from({ length: maxK }, (_, i) => ranks.map((rank) => Number(rank <= i + 1)));
  return bootstrapIntervals(hits).map(({ mean, low, high }, i) => ({ k: i + 1, rate: mean, low, high }));
}

function percentiles(means: Float64Array) {
  means.sort();
  const at = (share: number) => means[Math.round(share * (means.length - 1))];
  return { low: at(0.025), high: at(0.975) };
}
