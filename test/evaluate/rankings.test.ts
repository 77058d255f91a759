import { rankByVectors } from 'finetune-embedding';
import { windowRanges } from 'finetune-embedding/dist/common/windows.js';
import { describe, expect, it } from 'vitest';
import { matrix, randomRows, single } from './helpers';

const ids = (rankings: { id: string }[][]) => rankings.map((ranking) => ranking.map(({ id }) => id));

describe('rankByVectors', () => {
  it('agrees with a plain loop over all pairs, for every number of queries left over by blocks', () => {
    for (const queryCount of [1, 2, 3, 4, 5, 7, 8]) {
      const queries = matrix(randomRows(queryCount, 5, 1));
      const rows = randomRows(11, 5, 2);
      const names = rows.map((_, i) => `d${i}`);
      const rankings = rankByVectors(queries, single(rows), names, { similarity: 'dot' });
      expect(rankings).toHaveLength(queryCount);
      for (let q = 0; q < queryCount; q++) {
        const query = Array.from(queries.data.subarray(q * 5, q * 5 + 5));
        const scores = rows.map((row) => row.reduce((sum, value, i) => sum + value * query[i], 0));
        const order = names.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
        expect(rankings[q].map(({ id }) => id)).toEqual(order.map((i) => names[i]));
        expect(rankings[q][0].score).toBeCloseTo(scores[order[0]], 5);
      }
    }
  });

  it("scores a document by its best vector at window temperature 0, and cosine ignores a vector's length", () => {
    const queries = matrix([[1, 0]]);
    const documents = {
      vectors: matrix([
        [0, 1],
        [10, 10],
        [1, 0],
        [-1, 0],
      ]),
      owners: Int32Array.from([0, 0, 1, 1]),
    };
    const ranked = (similarity: 'cosine' | 'dot') =>
      rankByVectors(queries, documents, ['long', 'exact'], { similarity, windowTemperature: 0 });
    const cosine = ranked('cosine');
    expect(ids(cosine)).toEqual([['exact', 'long']]);
    expect(cosine[0][0].score).toBe(1);
    expect(cosine[0][1].score).toBeCloseTo(Math.SQRT1_2, 6);
    expect(ids(ranked('dot'))).toEqual([['long', 'exact']]);
  });

  it('orders ties by id, in code point order, and cuts them so at topK', () => {
    const documents = single([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    // By UTF-16 units the emoji would come before U+FFFD.
    const names = ['\u{1F600}', 'b', '\uFFFD', 'a'];
    expect(ids(rankByVectors(matrix([[1, 0]]), documents, names))).toEqual([['a', 'b', '\uFFFD', '\u{1F600}']]);
    expect(ids(rankByVectors(matrix([[1, 0]]), documents, names, { topK: 2 }))).toEqual([['a', 'b']]);
  });

  it('keeps a vector of zeros, with score 0', () => {
    const [ranking] = rankByVectors(
      matrix([[1, 0]]),
      single([
        [0, 0],
        [-1, 0],
      ]),
      ['zero', 'opposite'],
    );
    expect(ranking).toEqual([
      { id: 'zero', score: 0 },
      { id: 'opposite', score: -1 },
    ]);
  });

  it('answers no question with no ranking', () => {
    const none = { data: new Float32Array(), rows: 0, columns: 2 };
    expect(rankByVectors(none, single([[1, 0]]), ['a'])).toEqual([]);
  });

  it('refuses vectors that cannot be compared, and says which', () => {
    const queries = matrix([[1, 0]]);
    expect(() => rankByVectors(queries, single([[1, 0, 0]]), ['a'])).toThrow(/2 dimensions.*3/);
    expect(() =>
      rankByVectors(
        queries,
        single([
          [1, 0],
          [Number.NaN, 0],
        ]),
        ['a', 'b'],
      ),
    ).toThrow(/A vector of document "b" holds NaN/);
    const windows = {
      vectors: matrix([
        [1, 0],
        [0, 1],
        [Number.POSITIVE_INFINITY, 0],
        [1, 1],
      ]),
      owners: Int32Array.from([0, 1, 1, 1]),
    };
    expect(() => rankByVectors(queries, windows, ['a', 'b'])).toThrow(/A vector of document "b" holds Infinity/);
    const badQueries = matrix([
      [1, 0],
      [0, Number.NaN],
    ]);
    expect(() => rankByVectors(badQueries, single([[1, 0]]), ['a'])).toThrow(/The vector of query 2 of 2 holds NaN/);
    expect(() => rankByVectors(queries, single([[1, 0]]), [])).toThrow(/document 0.*0 document ids/);
    for (const topK of [0, 2.5, Number.NaN])
      expect(() => rankByVectors(queries, single([[1, 0]]), ['a'], { topK })).toThrow(/topK .*whole number from 1/);
  });
});

describe('windowRanges', () => {
  it('covers every token, and ends with the window that reaches the end', () => {
    expect(windowRanges(5, 10, 5)).toEqual([[0, 5]]);
    expect(windowRanges(10, 10, 5)).toEqual([[0, 10]]);
    expect(windowRanges(11, 10, 8)).toEqual([
      [0, 10],
      [8, 11],
    ]);
    expect(windowRanges(26, 10, 8)).toEqual([
      [0, 10],
      [8, 18],
      [16, 26],
    ]);
    expect(windowRanges(0, 10, 8)).toEqual([[0, 0]]);
  });

  it('refuses a stride that would skip tokens', () => {
    expect(() => windowRanges(20, 10, 11)).toThrow(RangeError);
    expect(() => windowRanges(20, 10, 0)).toThrow(RangeError);
  });
});
