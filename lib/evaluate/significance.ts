// In: evaluations. Out: how far their numbers, and the difference of two, can be trusted.
import { seededRandom } from '../common/random';
import type { EvaluationResult } from './evaluation';
import type { MetricName } from './metrics';

/** A mean over queries, with a 95% confidence interval. */
export interface Interval {
  mean: number;
  low: number;
  high: number;
}

/** Hit rate at the evaluation's `topK`, or any metric. */
export type ComparedMetric = MetricName | 'hitRate';

const RESAMPLES = 10_000;
const SEED = 42;

/** The metric of each query, in the dataset's order. */
export function perQueryValues(result: EvaluationResult, metric: ComparedMetric): number[] {
  return result.perQuery.map((query) => (metric === 'hitRate' ? Number(query.isHit) : query.metrics[metric]));
}

/**
 * The mean and its 95% percentile bootstrap interval over 10,000 resamples of the queries (Efron & Tibshirani, 1993,
 * "An Introduction to the Bootstrap", section 13.3).
 */
export function bootstrapInterval(values: number[]): Interval {
  const random = seededRandom(SEED);
  const means = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)];
    means[resample] = sum / values.length;
  }
  return { mean: mean(values), ...percentiles(means) };
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
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
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
export function metricInterval(result: EvaluationResult, metric: ComparedMetric): Interval {
  return bootstrapInterval(perQueryValues(result, metric));
}

/** "Is `after` better than `before`?", answered on the queries both were asked. */
export interface Comparison {
  before: Interval;
  after: Interval;
  /** After − before, query by query: if the interval leaves 0 out, the difference is more than luck of the draw. */
  difference: Interval;
  /** Two-sided, of the paired permutation test. */
  pValue: number;
}

/**
 * Compares two evaluations of the same questions.
 * @throws {Error} if they are not of the same queries.
 */
export function compareResults(
  before: EvaluationResult,
  after: EvaluationResult,
  options: { metric?: ComparedMetric } = {},
): Comparison {
  const { metric = 'hitRate' } = options;
  checkSameQueries(before, after);
  const [a, b] = [perQueryValues(before, metric), perQueryValues(after, metric)];
  const differences = b.map((value, i) => value - a[i]);
  return {
    before: bootstrapInterval(a),
    after: bootstrapInterval(b),
    difference: bootstrapInterval(differences),
    pValue: permutationTest(differences),
  };
}

/** Hit rate at each k from 1 to `maxK`, with its 95% bootstrap band (the same resamples at every k). */
export function hitRatesOverK(
  result: EvaluationResult,
  { maxK }: { maxK: number },
): { k: number; rate: number; low: number; high: number }[] {
  const ranks = result.perQuery.map(({ rank }) => rank ?? Number.POSITIVE_INFINITY);
  const random = seededRandom(SEED);
  const means = Array.from({ length: maxK }, () => new Float64Array(RESAMPLES));
  const atRank = new Uint32Array(maxK + 1);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    atRank.fill(0);
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[Math.floor(random() * ranks.length)];
      if (rank <= maxK) atRank[rank]++;
    }
    let hits = 0;
    for (let k = 1; k <= maxK; k++) {
      hits += atRank[k];
      means[k - 1][resample] = hits / ranks.length;
    }
  }
  return means.map((meansAtK, i) => ({
    k: i + 1,
    rate: mean(ranks.map((rank) => Number(rank <= i + 1))),
    ...percentiles(meansAtK),
  }));
}

/** @throws {Error} if two evaluations are not of the same queries in the same order. */
export function checkSameQueries(before: EvaluationResult, after: EvaluationResult): void {
  const same =
    before.perQuery.length === after.perQuery.length &&
    before.perQuery.every(({ queryId }, i) => queryId === after.perQuery[i].queryId);
  if (!same) {
    throw new Error(
      `"${before.name}" and "${after.name}" were not asked the same queries: evaluate both on one dataset.`,
    );
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percentiles(means: Float64Array): { low: number; high: number } {
  means.sort();
  const at = (share: number) => means[Math.round(share * (means.length - 1))];
  return { low: at(0.025), high: at(0.975) };
}
