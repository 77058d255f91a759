import { compareResults, evaluateRanking, hitRatesOverK } from 'finetune-embedding';
import { bootstrapIntervals, permutationTest, perQueryValues } from 'finetune-embedding/dist/evaluate/significance.js';
import { describe, expect, it } from 'vitest';
import { dataset, ranked } from './helpers';

const bootstrapInterval = (values: number[]) => bootstrapIntervals([values])[0];

/** 100 queries; the relevant document of query i stands at rank `rankOf(i)`. */
function evaluation(name: string, rankOf: (query: number) => number) {
  const ids = Array.from({ length: 10 }, (_, i) => `d${i}`);
  const data = dataset(ids, ...Array.from({ length: 100 }, () => ['d0']));
  const rankings = Array.from({ length: 100 }, (_, query) => {
    const others = ids.slice(1);
    others.splice(rankOf(query) - 1, 0, 'd0');
    return others;
  });
  return evaluateRanking(ranked(...rankings), data, { name, topK: 1 });
}

describe('bootstrapIntervals', () => {
  it('comes near the normal approximation, and is the same each time', () => {
    const values = Array.from({ length: 400 }, (_, i) => Number(i % 5 === 0));
    const { mean, low, high } = bootstrapInterval(values);
    const margin = 1.96 * Math.sqrt((0.2 * 0.8) / 400);
    expect(mean).toBeCloseTo(0.2, 12);
    expect(Math.abs(low - (0.2 - margin))).toBeLessThan(0.006);
    expect(Math.abs(high - (0.2 + margin))).toBeLessThan(0.006);
    expect(bootstrapInterval(values)).toEqual({ mean, low, high });
    expect(bootstrapInterval([1, 1, 1])).toEqual({ mean: 1, low: 1, high: 1 });
  });
});

describe('permutationTest', () => {
  it('comes near the exact p-value', () => {
    // Ten wins of equal size and no loss: only 2 of 2^10 assignments of signs are as extreme.
    const p = permutationTest(Array(10).fill(0.1));
    expect(Math.abs(p - 2 / 1024)).toBeLessThan(0.0015);
    // Seven wins, three losses: the two-sided sign test gives 352 / 1024.
    const mixed = [1, 1, 1, 1, 1, 1, 1, -1, -1, -1];
    expect(Math.abs(permutationTest(mixed) - 352 / 1024)).toBeLessThan(0.02);
  });

  it('is 1 where nothing changed', () => {
    expect(permutationTest([0, 0, 0])).toBe(1);
  });
});

describe('compareResults', () => {
  const before = evaluation('before', (i) => (i < 50 ? 1 : 2));
  const after = evaluation('after', (i) => (i < 70 ? 1 : 2));

  it('gives intervals of both and of the paired difference', () => {
    const { difference, pValue, ...both } = compareResults(before, after);
    expect(both.before.mean).toBe(0.5);
    expect(both.after.mean).toBe(0.7);
    expect(difference.mean).toBeCloseTo(0.2, 12);
    expect(difference.low).toBeGreaterThan(0.1);
    // The same queries were answered twice: pairing makes the interval narrower than independent samples would (0.26).
    expect(difference.high - difference.low).toBeLessThan(0.2);
    expect(pValue).toBeLessThan(0.001);
    expect(compareResults(before, after, { metric: 'MRR@10' }).difference.mean).toBeCloseTo(0.1, 12);
  });

  it('takes values query by query', () => {
    expect(perQueryValues(before, 'hitRate').slice(48, 52)).toEqual([1, 1, 0, 0]);
    expect(perQueryValues(before, 'MRR@10').slice(48, 52)).toEqual([1, 1, 0.5, 0.5]);
  });
});

describe('hitRatesOverK', () => {
  it('rises to 1, each point within its band', () => {
    const curve = hitRatesOverK(
      evaluation('x', (i) => 1 + (i % 4)),
      { maxK: 5 },
    );
    expect(curve.map(({ k, rate }) => [k, rate])).toEqual([
      [1, 0.25],
      [2, 0.5],
      [3, 0.75],
      [4, 1],
      [5, 1],
    ]);
    const atTwo = bootstrapInterval(Array.from({ length: 100 }, (_, i) => Number(i % 4 < 2)));
    expect(curve[1]).toMatchObject({ low: atTwo.low, high: atTwo.high });
    for (const { rate, low, high } of curve.slice(0, 3)) {
      expect(low).toBeLessThan(rate);
      expect(high).toBeGreaterThan(rate);
    }
  });
});
