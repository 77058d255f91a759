// Products by loops and by TensorFlow, of floats and of 8-bit integers, against the definition.
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

const SCRIPT = `
  const lib = require('path').resolve('lib/dist');
  const { rowProducts } = require(lib + '/common/products.js');
  if (process.argv[1] === 'tensorflow') require(lib + '/model/tf.js');
  const matrix = (rows, Numbers) => ({
    data: Numbers.from({ length: rows * 6 }, (_, i) => Math.sin(1 + i * i) * (Numbers === Int8Array ? 127 : 1)),
    rows, columns: 6,
  });
  const worst = [[3, 4], [5, 7], [1, 1], [2, 0], [9, 6]].flatMap(([m, n]) => [Float32Array, Int8Array].map((Numbers) => {
    const [a, b] = [matrix(m, Float32Array), matrix(n, Numbers)];
    const products = rowProducts(a, b);
    if (products.length !== m * n) return NaN;
    return Math.max(0, ...products.map((value, at) => {
      const [i, j] = [Math.floor(at / n) * 6, (at % n) * 6];
      const sum = [0, 1, 2, 3, 4, 5].reduce((total, k) => total + a.data[i + k] * b.data[j + k], 0);
      return Math.abs(value - sum) / Math.max(1, Math.abs(sum));
    }));
  }));
  const loaded = Object.keys(require.cache).some((file) => file.includes('tfjs-node'));
  console.log(JSON.stringify({ worst, loaded }));
`;

it.each(['loops', 'tensorflow'])('multiplies rows by %s', (by) => {
  const output = execFileSync(process.execPath, ['-e', SCRIPT, by], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { worst, loaded } = JSON.parse(output);
  expect(loaded).toBe(by === 'tensorflow');
  expect(worst).toHaveLength(10);
  for (const difference of worst) expect(difference).toBeLessThan(5e-6);
});
