import { similarityRows } from 'finetune-embedding';
import { expect, it } from 'vitest';

const matrix = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

it('similarityRows gives cosines, of a chunk’s nearest vector where it has several', () => {
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
  expect(rows[0][1]).toBeCloseTo(1, 6);
  expect(rows[1]).toEqual([0, 0]);
});
