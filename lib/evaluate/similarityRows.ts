// Two lists of vectors → the table of their cosine similarities, for small batches that are shown or plotted.
import type { Matrix } from '../model/matrix';

const rowOf = (matrix: Matrix, row: number) => matrix.data.subarray(row * matrix.columns, (row + 1) * matrix.columns);

/** `result[i][j]`: cosine similarity of row i of `queries` and row j of `chunks`; 0 where a vector is all zeros. */
export function similarityRows(queries: Matrix, chunks: Matrix): number[][] {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  return Array.from({ length: queries.rows }, (_, i) => {
    const query = rowOf(queries, i);
    return Array.from({ length: chunks.rows }, (_, j) => {
      const chunk = rowOf(chunks, j);
      return dot(query, chunk) / (Math.sqrt(dot(query, query) * dot(chunk, chunk)) || 1);
    });
  });
}
