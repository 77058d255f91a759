import {
  chooseFusionWeight,
  convexFusion,
  evaluateRanking,
  type RankedDocument,
  reciprocalRankFusion,
} from 'finetune-embedding';
import { describe, expect, it } from 'vitest';
import { dataset, ranked } from './helpers';

const scored = (scores: Record<string, number>): RankedDocument[] =>
  Object.entries(scores).map(([id, score]) => ({ id, score }));

describe('reciprocalRankFusion', () => {
  it('adds 1 / (60 + rank), and leaves scores out', () => {
    const [fused] = reciprocalRankFusion([ranked(['a', 'b', 'c']), ranked(['c', 'a'])]);
    expect(fused.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    expect(fused[0].score).toBeCloseTo(1 / 61 + 1 / 62, 12);
    expect(fused[1].score).toBeCloseTo(1 / 63 + 1 / 61, 12);
    expect(fused[2].score).toBeCloseTo(1 / 62, 12);
  });

  it('refuses rankings of different queries', () => {
    expect(() => reciprocalRankFusion([ranked(['a']), ranked(['a'], ['b'])])).toThrow(/1, 2/);
  });
});

describe('convexFusion', () => {
  const model = [scored({ a: 0.8, b: 0.5, c: 0.2 })];
  const bm25 = [scored({ b: 10, c: 8 })];

  it('normalises by the theoretical minimum', () => {
    const [fused] = convexFusion(model, bm25, { weight: 0.6 });
    expect(fused.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(fused[0].score).toBeCloseTo(0.6 * (1.5 / 1.8) + 0.4, 12);
    expect(fused[1].score).toBeCloseTo(0.6 * (1.2 / 1.8) + 0.4 * 0.8, 12);
    expect(fused[2].score).toBeCloseTo(0.6, 12);
  });

  it('normalises by the least score retrieved', () => {
    const [fused] = convexFusion(model, bm25, { weight: 0.6, normalisation: 'min-max' });
    expect(fused.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
    expect(fused[0].score).toBeCloseTo(0.6 * 0.5 + 0.4, 12);
    expect(fused[2].score).toBe(0);
  });

  it('is one system alone at weights 1 and 0, an empty ranking included', () => {
    expect(convexFusion(model, [[]], { weight: 1 })[0].map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(convexFusion(model, bm25, { weight: 0, topK: 2 })[0].map(({ id }) => id)).toEqual(['b', 'c']);
    expect(convexFusion([[]], [[]], { weight: 0.5 })).toEqual([[]]);
    expect(() => convexFusion(model, bm25, { weight: 1.1 })).toThrow(/between 0 and 1/);
  });
});

describe('chooseFusionWeight', () => {
  it('finds the weight at which both systems repair each other', () => {
    const data = dataset(['a', 'b', 'c'], ['a'], ['b']);
    const model = [scored({ a: 0.9, b: 0.1, c: 0 }), scored({ c: 0.5, b: 0.45, a: 0 })];
    const bm25 = [scored({ c: 2, a: 1.8 }), scored({ b: 4 })];
    const { weight, curve } = chooseFusionWeight(model, bm25, data);
    const at = (w: number) => evaluateRanking(convexFusion(model, bm25, { weight: w }), data).metrics['MAP@100'];
    expect(curve).toHaveLength(21);
    expect(curve[0]).toEqual({ weight: 0, value: at(0) });
    expect(at(0)).toBeLessThan(1);
    expect(at(1)).toBeLessThan(1);
    expect(at(weight)).toBe(1);
    const best = curve.filter(({ value }) => value === 1).map((point) => point.weight);
    expect(best.filter((w) => w < weight).length).toBe(best.length >> 1);
  });

  it('takes both systems where neither the one nor the other matters', () => {
    const data = dataset(['a', 'b'], ['a']);
    const same = [scored({ a: 0.9, b: 0.1 })];
    expect(chooseFusionWeight(same, same, data).weight).toBe(0.5);
  });
});
