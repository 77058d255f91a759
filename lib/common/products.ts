// In: two matrices. Out: each row of one times each row of the other: by loops or, where it is loaded, by TensorFlow.
import type { Matrix } from './matrix';

/** `[a's rows, columns]`, `[b's rows, columns]` → `[a's rows, b's rows]` */
type RowProducts = (a: Matrix<Float32Array | Int8Array>, b: Matrix<Float32Array | Int8Array>) => Float32Array;

/** Four rows of b at a time, as far as there are so many: twice as quick as one after the other. */
const byLoops: RowProducts = (a, b) => {
  const [x, y, { columns }, last] = [a.data, b.data, a, b.rows - 1];
  const products = new Float32Array(a.rows * b.rows);
  for (let j = 0; j <= last; j += 4) {
    const [j0, j1, j2, j3] = [j, Math.min(j + 1, last), Math.min(j + 2, last), Math.min(j + 3, last)];
    const [y0, y1, y2, y3] = [j0 * columns, j1 * columns, j2 * columns, j3 * columns];
    for (let i = 0; i < a.rows; i++) {
      let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
      for (let k = 0; k < columns; k++) {
        const value = x[i * columns + k];
        sum0 += value * y[y0 + k];
        sum1 += value * y[y1 + k];
        sum2 += value * y[y2 + k];
        sum3 += value * y[y3 + k];
      }
      products[i * b.rows + j0] = sum0;
      products[i * b.rows + j1] = sum1;
      products[i * b.rows + j2] = sum2;
      products[i * b.rows + j3] = sum3;
    }
  }
  return products;
};

let multiply = byLoops;

/** What search is made of: similarities, where rows have length 1. */
export const rowProducts: RowProducts = (a, b) => multiply(a, b);

/** From now on {@link rowProducts} are computed so. */
export function computeRowProducts(by: RowProducts): void {
  multiply = by;
}
