// Vectors → their two principal components, by power iteration. Pearson 1901; Golub & Van Loan, section 8.2.
import type { Matrix } from '../common/matrix';

const dot = (a: Float64Array, b: ArrayLike<number>): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

/**
 * The first two principal components of the rows of all `matrices` together: one projection, so that what belongs
 * together lies together. Signs are fixed (largest entry positive): the same input gives the same picture.
 * @returns for each matrix its rows as `[x, y]`
 */
export function principalComponents(matrices: Matrix[]): [number, number][][] {
  const columns = matrices[0].columns;
  const rows = matrices.flatMap(({ data, rows: count, columns: width }) => {
    if (width !== columns) throw new Error(`principalComponents: vectors of ${columns} and of ${width} dimensions.`);
    return Array.from({ length: count }, (_, i) => Float64Array.from(data.subarray(i * width, (i + 1) * width)));
  });
  const mean = new Float64Array(columns);
  for (const row of rows) for (let j = 0; j < columns; j++) mean[j] += row[j] / rows.length;
  for (const row of rows) for (let j = 0; j < columns; j++) row[j] -= mean[j];
  const axes: Float64Array[] = [];
  for (let component = 0; component < 2; component++) {
    let axis = Float64Array.from({ length: columns }, (_, j) => Math.cos(1 + j * (component + 1)));
    for (let iteration = 0; iteration < 100; iteration++) {
      const next = new Float64Array(columns); // Xᵀ X axis, the covariance never formed
      for (const row of rows) {
        const weight = dot(axis, row);
        for (let j = 0; j < columns; j++) next[j] += weight * row[j];
      }
      for (const earlier of axes) {
        const overlap = dot(next, earlier);
        for (let j = 0; j < columns; j++) next[j] -= overlap * earlier[j];
      }
      const norm = Math.hypot(...next) || 1;
      const change = Math.hypot(...next.map((value, j) => value / norm - axis[j]));
      axis = next.map((value) => value / norm);
      if (change < 1e-7) break;
    }
    const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0);
    axes.push(largest < 0 ? axis.map((value) => -value) : axis);
  }
  let start = 0;
  return matrices.map(({ rows: count }) => {
    const part = rows.slice(start, start + count);
    start += count;
    return part.map((row): [number, number] => [dot(axes[0], row), dot(axes[1], row)]);
  });
}
