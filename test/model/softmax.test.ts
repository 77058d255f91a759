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

/** Lets `answer` throw in place of TensorFlow, op by op; the names asked for come back. */
function interceptOps(answer: (name: string) => void): string[] {
  const backend = tf.backend() as unknown as { executeSingleOutput(name: string, ...rest: unknown[]): tf.Tensor };
  const execute = backend.executeSingleOutput.bind(backend);
  const used: string[] = [];
  const spy = vi.spyOn(backend, 'executeSingleOutput').mockImplementation((name, ...rest) => {
    used.push(name);
    answer(name);
    return execute(name, ...rest);
  });
  onTestFinished(() => spy.mockRestore());
  return used;
}

// The order counts: once oneDNN's kernel is found missing, this process never asks for it again.
describe('softmax', () => {
  it('lets every error through but that of a missing kernel, and asks for the same kernel the next time', () => {
    let calls = 0;
    const used = interceptOps(() => {
      calls++;
      if (calls === 1)
        throw new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[12,512,512]');
    });
    expect(expectRight).toThrow('OOM when allocating tensor');
    expect(used).toEqual(['_MklSoftmax']);
    expectRight();
    expect(used[1]).toBe('_MklSoftmax');
  });

  it('is right where exp would overflow and where scores are masked', expectRight);

  it('is right without the kernel of oneDNN', () => {
    const used = interceptOps((name) => {
      if (name.startsWith('_Mkl'))
        throw new Error(
          `Invalid TF_Status: 5\nMessage: '${name}' is neither a type of a primitive operation nor a name`,
        );
    });
    expectRight();
    expect(used).toEqual(['_MklSoftmax', 'Softmax']);
    expectRight();
    expect(used).toEqual(['_MklSoftmax', 'Softmax', 'Softmax']);
  });
});
