import { evaluateRanking, linearFusion, reciprocalRankFusion } from 'finetune-embedding';
import { chooseFusionWeight } from 'finetune-embedding/dist/evaluate/fusion.js';
import type { RankedDocument } from 'finetune-embedding/dist/evaluate/rankings.js';
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

describe('linearFusion', () => {
  const model = [scored({ a: 0.8, b: 0.5, c: 0.2 })];
  const bm25 = [scored({ b: 10, c: 8 })];

  it('adds BM25, as it is, to the cosine', () => {
    const [fused] = linearFusion([model], { bm25, weight: 0.05 });
    expect(fused.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
    expect(fused[0].score).toBeCloseTo(0.5 + 0.05 * 10, 12);
    expect(fused[1].score).toBeCloseTo(0.8, 12);
    expect(fused[2].score).toBeCloseTo(0.2 + 0.05 * 8, 12);
  });

  it('moves little where keywords find little, however BM25 ranks it', () => {
    const weak = [scored({ b: 0.4, c: 0.3 })];
    expect(linearFusion([model], { bm25: weak, weight: 0.05 })[0].map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('takes the mean of the cosines of several ways to search, with and without BM25', () => {
    const words = [scored({ a: 0.2, b: 0.4, c: 0.6 })];
    const [both] = linearFusion([model, words]);
    expect(both.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(both[0].score).toBeCloseTo(0.5, 12);
    const [all] = linearFusion([model, words], { bm25, weight: 0.05 });
    expect(all.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(all[0].score).toBeCloseTo(0.45 + 0.05 * 10, 12);
  });

  it('is the model alone at weight 0, an empty ranking included', () => {
    expect(linearFusion([model], { bm25, weight: 0, topK: 2 })[0]).toEqual(model[0].slice(0, 2));
    expect(linearFusion([model], { bm25: [[]] })[0]).toEqual(model[0]);
    expect(linearFusion([[[]]], { bm25: [[]] })).toEqual([[]]);
    for (const weight of [-0.1, Number.NaN]) expect(() => linearFusion([model], { bm25, weight })).toThrow(/0 or more/);
    expect(() => linearFusion([model], { bm25: [[], []] })).toThrow(/1, 2/);
  });
});

describe('chooseFusionWeight', () => {
  it('finds the weight at which both systems repair each other', () => {
    const data = dataset(['a', 'b', 'c'], ['a'], ['b']);
    const model = [scored({ a: 0.6, b: 0.1, c: 0 }), scored({ c: 0.5, b: 0.45, a: 0 })];
    const bm25 = [scored({ c: 21, a: 3 }), scored({ b: 4 })];
    const { weight, curve } = chooseFusionWeight([model], bm25, data);
    const at = (w: number) => evaluateRanking(linearFusion([model], { bm25, weight: w }), data).metrics['MAP@100'];
    expect(curve).toHaveLength(21);
    expect(curve[0]).toEqual({ weight: 0, value: at(0) });
    expect(at(0)).toBeLessThan(1);
    expect(at(0.05)).toBeLessThan(1);
    expect(at(weight)).toBe(1);
    const best = curve.filter(({ value }) => value === 1).map((point) => point.weight);
    expect(best.filter((w) => w < weight).length).toBe(best.length >> 1);
  });

  it('takes both systems where neither the one nor the other matters', () => {
    const data = dataset(['a', 'b'], ['a']);
    const same = [scored({ a: 0.9, b: 0.1 })];
    expect(chooseFusionWeight([same], same, data).weight).toBe(0.025);
  });
});
