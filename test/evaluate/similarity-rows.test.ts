import { similarityRows } from 'finetune-embedding';
import { expect, it } from 'vitest';

const matrix = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

it('similarityRows gives cosines, and the score of several vectors where a chunk has them', () => {
  const queries = matrix([
    [3, 4],
    [0, 0],
  ]);
  const vectors = matrix([
    [1, 0],
    [0, -2],
    [6, 8],
  ]);
  const rows = similarityRows(queries, { vectors, owners: Int32Array.from([0, 1, 1]) });
  expect(rows[0][0]).toBeCloseTo(0.6, 6);
  expect(rows[0][1]).toBeCloseTo(1 - 0.05 * Math.log(2), 6); // of 1 and −0.8
  expect(rows[1]).toEqual([0, 0]);
});
