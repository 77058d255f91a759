import { Bm25 } from 'finetune-embedding/dist/common/text/bm25.js';
import { expect, it } from 'vitest';

it('weighs a term in a text, and scores a query by its terms', () => {
  const bm25 = new Bm25([
    ['red', 'apple'],
    ['green', 'apple', 'green', 'pear'],
    ['blue', 'plum'],
  ]);
  // Lengths 2, 4, 2 (mean 8/3).
  const green = Math.log(1 + 2.5 / 1.5) * ((2 * 2.5) / (2 + 1.5 * (0.25 + (0.75 * 4) / (8 / 3))));
  expect(bm25.weight('green', 1)).toBeCloseTo(green, 12);
  expect(bm25.weight('green', 0)).toBe(0);
  expect(bm25.weight('unknown', 0)).toBe(0);
  const scores = bm25.scores(['green', 'green', 'apple', 'unknown']);
  expect(scores[1]).toBeCloseTo(2 * green + bm25.weight('apple', 1), 12);
  expect(scores[0]).toBe(bm25.weight('apple', 0));
  expect(scores[2]).toBe(0);
});
