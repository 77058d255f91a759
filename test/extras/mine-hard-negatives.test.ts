import { rankByVectors } from 'finetune-embedding/dist/evaluate/rankings.js';
import { mineHardNegatives } from 'finetune-embedding/dist/extras/hard-negatives.js';
import { describe, expect, it } from 'vitest';
import { dataset, matrix, ranked, single } from '../evaluate/helpers';

// Five queries and twelve documents in six dimensions; the expected negatives below are those of sentence-transformers
// 6.2's mine_hard_negatives (num_negatives=2, range_max=12, output_format='triplet') on the same vectors.
const vector = (s: number): number[] => Array.from({ length: 6 }, (_, d) => Math.sin(s + 0.7 * d * (1 + (s % 5))));
const ids = Array.from({ length: 12 }, (_, i) => `d${String(i).padStart(2, '0')}`);
const mill = dataset(ids, ['d04'], ['d05'], ['d02'], ['d10', 'd03'], ['d07', 'd10']);
const rankings = rankByVectors(
  matrix([0, 1, 2, 3, 4].map((i) => vector(5 * i + 2))),
  single(ids.map((_, i) => vector(3 * i + 1))),
  ids,
);
const mine = (options: object) => mineHardNegatives(mill, rankings, { perQuery: 2, ...options });

describe('mineHardNegatives', () => {
  it.each([
    [{}, 'd11 d07, d02 d01, d06 d00, d07 d06, d11 d04'],
    [{ relativeMargin: 0.05 }, 'd07 d05, d01 d08, d00 d09, d09 d00, d03 d08'],
  ])('with %j chooses what sentence-transformers does', (options, expected) => {
    const { dataset: withNegatives } = mine(options);
    const lists = expected.split(', ').map((list) => list.split(' '));
    expect(withNegatives.hardNegatives).toEqual(Object.fromEntries(lists.map((list, i) => [`q${i}`, list])));
    expect(withNegatives).toMatchObject(mill);
  });

  it('gives fewer, or none, where candidates are too near to the answer', () => {
    // Scores fall by 0.01 a rank.
    const three = dataset(['a', 'b', 'c'], ['a'], ['c']);
    const result = mineHardNegatives(three, ranked(['a', 'b', 'c'], ['a', 'b', 'c']), {
      perQuery: 2,
      relativeMargin: 0.015,
    });
    expect(result.dataset.hardNegatives).toEqual({ q0: ['c'] });
  });

  it('takes no candidate for a query whose answer is not ranked, if a margin is asked for', () => {
    const three = dataset(['a', 'b', 'c'], ['c']);
    const cut = ranked(['a', 'b']);
    expect(mineHardNegatives(three, cut, { relativeMargin: 0.05 }).dataset.hardNegatives).toEqual({});
    expect(mineHardNegatives(three, cut).dataset.hardNegatives).toEqual({ q0: ['a', 'b'] });
  });

  it('never takes a chunk that repeats the answer’s text', () => {
    const copies = dataset(['a', 'b', 'c'], ['a']);
    copies.corpus.b = copies.corpus.a;
    expect(mineHardNegatives(copies, ranked(['a', 'b', 'c'])).dataset.hardNegatives).toEqual({ q0: ['c'] });
  });

  it('refuses rankings of something else and options that make no sense', () => {
    expect(() => mineHardNegatives(mill, rankings.slice(1))).toThrow(/5 queries, but 4 rankings/);
    expect(() => mine({ perQuery: 0 })).toThrow(/perQuery is 0/);
    expect(() => mine({ relativeMargin: -0.1 })).toThrow(/relativeMargin is -0.1/);
  });
});
