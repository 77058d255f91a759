// In: matrices of vectors. Out: each vector's place along the two directions in which all of them differ most.
import { PCA } from 'ml-pca';
import type { Matrix } from '../common/matrix';

/**
 * The first two principal components (Pearson 1901) of the rows of all `matrices` together: one projection, so that
 * what belongs together lies together. Signs are fixed, the largest loading positive: same input, same picture.
 *
 * @returns for each matrix its rows as `[x, y]`
 * @throws Error if the matrices' vectors are of different dimensions
 */
export function principalComponents(matrices: Matrix[]): [number, number][][] {
  const { columns } = matrices[0];
  const rowsOf = ({ data, rows, columns: width }: Matrix): number[][] => {
    if (width !== columns) throw new Error(`principalComponents: vectors of ${columns} and of ${width} dimensions.`);
    return Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));
  };
  const parts = matrices.map(rowsOf);
  const pca = new PCA(parts.flat());
  const axes = pca.getEigenvectors();
  const [xSign, ySign] = [0, 1].map((axis) => {
    const loadings = axes.getColumn(axis);
    return loadings.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0) < 0 ? -1 : 1;
  });
  return parts.map((rows) =>
    pca
      .predict(rows, { nComponents: 2 })
      .to2DArray()
      .map(([x, y]): [number, number] => [xSign * x, ySign * y]),
  );
}
