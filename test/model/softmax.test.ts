// Softmax by whichever kernel this build of TensorFlow has.
import { tf } from 'finetune-embedding';
import { softmax } from 'finetune-embedding/dist/model/tf.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const ROWS = [
  [0.5, -1, 2, 0],
  [300, 299, 0, 300], // exp would overflow
  [1, 2, -1e30, 3], // masked
];

function expected(row: number[]): number[] {
  const exponentials = row.map((x) => Math.exp(x - Math.max(...row)));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((x) => x / sum);
}

function expectRight(): void {
  const result = tf.tidy(() => softmax(tf.tensor3d([ROWS])).arraySync() as number[][][])[0];
  result.forEach((row, r) => {
    row.forEach((value, i) => {
      expect(Math.abs(value - expected(ROWS[r])[i])).toBeLessThan(1e-6);
    });
  });
  expect(result[2][2]).toBe(0);
}

describe('softmax', () => {
  it('is right where exp would overflow and where scores are masked', expectRight);

  it('is right without the kernel of oneDNN', () => {
    const backend = tf.backend() as unknown as { executeSingleOutput(name: string, ...rest: unknown[]): tf.Tensor };
    const execute = backend.executeSingleOutput.bind(backend);
    const used: string[] = [];
    const spy = vi.spyOn(backend, 'executeSingleOutput').mockImplementation((name, ...rest) => {
      used.push(name);
      if (name.startsWith('_Mkl')) throw new Error(`'${name}' is not registered`);
      return execute(name, ...rest);
    });
    onTestFinished(() => spy.mockRestore());
    expectRight();
    expect(used).toContain('Softmax');
  });
});
