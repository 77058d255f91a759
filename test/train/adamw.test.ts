import { tf } from 'finetune-embedding';
import { AdamW, globalNorm } from 'finetune-embedding/dist/train/adamw.js';
import { linearSchedule } from 'finetune-embedding/dist/train/train.js';
import { describe, expect, it, onTestFinished } from 'vitest';

/** AdamW (Loshchilov & Hutter 2019, algorithm 2) in 64-bit numbers, for one weight. */
function referenceAdamW(weight: number, gradients: number[], rates: number[], decay: number): number {
  let [w, m, v] = [weight, 0, 0];
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const change = m / (1 - 0.9 ** (i + 1)) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8);
    w = w * (1 - rates[i] * decay) - rates[i] * change;
  });
  return w;
}

/** Steps a set of weights named as given, all with the same gradients; returns the last values and the norms reported. */
function run(names: string[], start: number[], gradients: number[][], rates: number[]) {
  const weights = new Map<string, tf.Tensor>(names.map((name) => [name, tf.tensor1d(start)]));
  const optimizer = new AdamW(weights);
  onTestFinished(() => {
    optimizer.dispose();
    tf.dispose([...weights.values()]);
  });
  const norms = gradients.map((values, i) =>
    optimizer.step(new Map(names.map((name) => [name, tf.tensor1d(values)])), rates[i]),
  );
  return { norms, values: names.map((name) => [...weights.get(name)!.dataSync()]) };
}

describe('AdamW', () => {
  const start = [1, -2, 0.5];
  const gradients = [
    [0.1, -0.2, 0],
    [0.05, 0.3, 0],
    [-0.2, 0.1, 1e-6],
  ];
  const rates = [0.1, 0.05, 0.02];

  it('decays matrices and embeddings, but neither biases nor LayerNorm', () => {
    const names = ['a.dense.weight', 'a.dense.bias', 'a.LayerNorm.weight', 'a.LayerNorm.bias'];
    const { values } = run(names, start, gradients, rates);
    values.forEach((own, which) => {
      own.forEach((value, i) => {
        const decay = which === 0 ? 0.01 : 0;
        const column = gradients.map((row) => row[i]);
        expect(value, names[which]).toBeCloseTo(referenceAdamW(start[i], column, rates, decay), 5);
      });
    });
  });

  it('clips all gradients together to a norm of 1, and reports the norm before', () => {
    const { norms, values } = run(
      ['a.bias', 'b.bias'],
      start,
      [
        [30, -40, 0],
        [0.03, 0.04, 0],
      ],
      rates,
    );
    expect(norms[0]).toBeCloseTo(50 * Math.SQRT2, 3);
    expect(norms[1]).toBeCloseTo(0.05 * Math.SQRT2, 6);
    const clip = 1 / (50 * Math.SQRT2 + 1e-6);
    for (const own of values) {
      expect(own[0]).toBeCloseTo(referenceAdamW(start[0], [30 * clip, 0.03], rates, 0), 5);
      expect(own[1]).toBeCloseTo(referenceAdamW(start[1], [-40 * clip, 0.04], rates, 0), 5);
    }
  });

  it('frees what it replaces', () => {
    const before = tf.memory().numTensors;
    const weights = new Map<string, tf.Tensor>([['w', tf.tensor1d(start)]]);
    const optimizer = new AdamW(weights);
    const counts = gradients.map((values, i) => {
      optimizer.step(new Map([['w', tf.tensor1d(values)]]), rates[i]);
      return tf.memory().numTensors;
    });
    expect(new Set(counts).size).toBe(1);
    optimizer.dispose();
    tf.dispose([...weights.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('measures the norm over all gradients', () => {
    tf.tidy(() => {
      const gradients = new Map<string, tf.Tensor>([
        ['a', tf.tensor2d([[3], [0]])],
        ['b', tf.tensor1d([4, 12])],
      ]);
      expect(globalNorm(gradients)).toBeCloseTo(13, 5);
    });
  });
});

describe('the schedule', () => {
  it('rises over the warm-up, then falls to 0, as transformers’ linear schedule', () => {
    const factors = Array.from({ length: 11 }, (_, step) => linearSchedule(step, 4, 10));
    expect(factors).toEqual([0, 0.25, 0.5, 0.75, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0]);
    expect(linearSchedule(0, 0, 3)).toBe(1);
  });
});
