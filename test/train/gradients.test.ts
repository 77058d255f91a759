// The written-out gradient of every weight, against PyTorch's and against finite differences.
import path from 'node:path';
import { type EmbeddingModel, loadModel, tf } from 'finetune-embedding';
import { createDropout } from 'finetune-embedding/dist/model/bert/dropout.js';
import type { DropoutSettings } from 'finetune-embedding/dist/model/bert/encoder.js';
import { packSequences } from 'finetune-embedding/dist/model/bert/packing.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  examplePairs,
  isKeyBias,
  loadTiny,
  minilmReference,
  pairsAsData,
  relativeError,
  scaleQueriesAndKeys,
  texts,
  tinyReference,
  tinyWeights,
} from '../fixtures/engine';
import { allWeights, checkpointGradients, firstBatch, lossAndGradients, norm } from './helpers';

type Batch = Parameters<typeof lossAndGradients>[1];

/** A batch of made-up sequences: as many questions as chunks, question i about chunk i. */
function batchOfLengths(questionLengths: number[], chunkLengths: number[]): Batch {
  const sequence = (length: number, seed: number) =>
    Int32Array.from({ length }, (_, i) => (i === 0 ? 2 : 5 + ((i * i + i * 11 + seed * 17) % 100)));
  const rows = questionLengths.length;
  return {
    questions: questionLengths.map((length, i) => sequence(length, i)),
    chunks: chunkLengths.map((length, i) => sequence(length, 50 + i)),
    batch: {
      queryIds: questionLengths.map((_, i) => `q${i}`),
      chunkIds: chunkLengths.map((_, i) => `c${i}`),
      columnChunks: Int32Array.from(chunkLengths.keys()),
      columns: chunkLengths.length,
      targets: Int32Array.from({ length: rows }, (_, i) => i),
      knownPositives: [],
    },
  };
}

/** Checks each weight's gradient along its own direction: (L(w + εg) − L(w − εg)) / 2ε = ‖g‖² for small ε. */
function expectFiniteDifferences(model: EmbeddingModel, batch: Batch, dropout?: DropoutSettings): void {
  const lossOnly = () => {
    const { loss, gradients } = lossAndGradients(model, batch, { dropout });
    tf.dispose([...gradients.values()]);
    return loss;
  };
  const { gradients } = lossAndGradients(model, batch, { dropout });
  for (const [name, gradient] of gradients) {
    const weight = model.weights.get(name)!;
    const size = norm(gradient.dataSync());
    expect(size, name).toBeGreaterThan(0);
    const epsilon = 0.01 / size; // a step of length 0.01: far above rounding, short enough to be straight
    const lossAt = (factor: number) => {
      const moved = tf.tidy(() => tf.add(weight, tf.mul(gradient, factor)));
      model.weights.set(name, moved);
      const loss = lossOnly();
      moved.dispose();
      return loss;
    };
    const slope = (lossAt(epsilon) - lossAt(-epsilon)) / (2 * epsilon * size);
    model.weights.set(name, weight);
    expect(Math.abs(slope - size) / size, `${name}: slope ${slope}, gradient ${size}`).toBeLessThan(0.02);
  }
  tf.dispose([...gradients.values()]);
}

describe('gradients', () => {
  it('of the tiny model: every entry of every weight as PyTorch', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 8);
    const { loss, gradients } = checkpointGradients(model, batch);
    expect(Math.abs(loss / tinyReference.loss - 1)).toBeLessThan(1e-5);
    const reference = tinyWeights('tiny-gradients');
    expect([...gradients.keys()].sort()).toEqual([...reference.keys()].sort());
    const largest = Math.max(...[...reference.values()].map(({ data }) => norm(data)));
    for (const [name, { data, shape }] of reference) {
      const own = gradients.get(name)!;
      expect(own.shape, name).toEqual(shape);
      if (isKeyBias(name)) expect(norm(own.data) / largest, name).toBeLessThan(1e-6);
      else expect(relativeError(own.data, data), name).toBeLessThan(1e-5);
    }
  });

  it('of all-MiniLM-L6-v2: norms and entries of every weight as PyTorch in 64-bit floats', async () => {
    const model = await loadModel('all-MiniLM-L6-v2', { maxSeqLength: minilmReference.maxSeqLength });
    onTestFinished(() => model.dispose());
    const { loss, gradients } = checkpointGradients(model, firstBatch(model, examplePairs(), 10));
    expect(Math.abs(loss / minilmReference.loss - 1)).toBeLessThan(1e-5);
    expect([...gradients.keys()].sort()).toEqual(Object.keys(minilmReference.gradients).sort());
    for (const [name, reference] of Object.entries(minilmReference.gradients)) {
      if (isKeyBias(name)) continue;
      const { data } = gradients.get(name)!;
      expect(Math.abs(norm(data) / reference.norm - 1), name).toBeLessThan(1e-5);
      const entries = reference.at.map((i) => data[i]);
      // PyTorch's own 32-bit gradient is less exact than 1e-5 only where positive and negative parts cancel.
      expect(relativeError(entries, reference.values), name).toBeLessThan(Math.max(1e-5, reference.error32));
    }
  });

  it.each([
    ['equal lengths', [6, 6, 6], [20, 20, 20]],
    ['ragged lengths in one group', [3, 9, 5, 2], [64, 17, 33, 50]],
    ['a single token', [1, 2], [1, 64]],
  ])('as finite differences: %s', async (_, questionLengths, chunkLengths) => {
    expectFiniteDifferences(await loadTiny(), batchOfLengths(questionLengths, chunkLengths));
  });

  it('as finite differences: CLS pooling', async () => {
    expectFiniteDifferences(await loadTiny('cls'), batchOfLengths([3, 9, 5], [40, 17, 33]));
  });

  it('as finite differences with the same seed: dropout', async () => {
    const dropout = { rate: 0.2, seed: 5 };
    expectFiniteDifferences(await loadTiny(), batchOfLengths([3, 9, 5], [40, 17, 64]), dropout);
  });

  it.each(['mean', 'cls'] as const)('as finite differences: ModernBERT, %s pooling, dropout', async (mode) => {
    const model = await loadModel(path.resolve('test/fixtures/tiny-modernbert'));
    onTestFinished(() => model.dispose());
    model.encoder.pooling.mode = mode;
    const dropout = { rate: 0.2, seed: 5 };
    expectFiniteDifferences(model, batchOfLengths([3, 9, 15], [40, 17, 64]), dropout);
  });

  it.each([1, 20])('do not change with how sequences are grouped for attention, scores × %i²', async (factor) => {
    const model = await loadTiny('mean', false);
    scaleQueriesAndKeys(model, factor);
    const { questions, chunks } = batchOfLengths([3, 9, 5, 2], [64, 17, 33, 50]);
    const of = (sequences: Int32Array[]) => {
      const batch = packSequences(sequences);
      const { embeddings, activations } = model.encoder.forward(allWeights(model), batch);
      const dEmbeddings = tf.tidy(() => tf.cos(tf.mul(embeddings, 3)) as tf.Tensor2D);
      const gradients = model.encoder.backward(allWeights(model), activations, dEmbeddings);
      tf.dispose([embeddings, dEmbeddings]);
      return { groups: batch.groups.length, gradients };
    };
    const all = [...questions, ...chunks];
    const together = of(all);
    expect(together.groups).toBe(1);
    const apart = all.map((sequence) => of([sequence]));
    for (const [name, gradient] of together.gradients) {
      const summed = tf.tidy(() => tf.addN(apart.map(({ gradients }) => gradients.get(name)!)).dataSync());
      // Large scores carry their own rounding errors into the exponent.
      expect(relativeError(gradient.dataSync(), summed), name).toBeLessThan(factor === 1 ? 1e-5 : 1e-3);
    }
  });

  it('are the same whether a chunk shared by two pairs is encoded once or twice', async () => {
    const model = await loadTiny();
    const once = batchOfLengths([6, 4, 5, 3], [20, 30]);
    once.batch.columnChunks = Int32Array.from([0, 0, 1, 1]);
    once.batch.columns = 4;
    const twice = {
      ...once,
      chunks: [0, 0, 1, 1].map((i) => once.chunks[i]),
      batch: { ...once.batch, chunkIds: ['c0', 'c0', 'c1', 'c1'], columnChunks: Int32Array.from([0, 1, 2, 3]) },
    };
    const a = checkpointGradients(model, once);
    const b = checkpointGradients(model, twice);
    expect(a.loss).toBeCloseTo(b.loss, 6);
    for (const [name, { data }] of b.gradients) {
      if (!isKeyBias(name)) expect(relativeError(a.gradients.get(name)!.data, data), name).toBeLessThan(1e-5);
    }
  });
});

describe('dropout', () => {
  it('keeps the mean and drops the share asked', () => {
    tf.tidy(() => {
      for (const rate of [0.1, 0.5]) {
        const mask = createDropout(rate, [3, 4])!.mask([500, 401]).dataSync<'float32'>();
        const dropped = mask.filter((value) => value === 0).length / mask.length;
        const mean = mask.reduce((a, b) => a + b, 0) / mask.length;
        expect(new Set(mask).size).toBe(2);
        expect(Math.abs(dropped - rate)).toBeLessThan(0.005); // 1/512 of rounding, 4.5 standard errors of chance
        expect(Math.abs(mean - 1)).toBeLessThan(0.01);
      }
    });
  });

  it('makes the same mask from the same seed, others from others, and none at rate 0', () => {
    tf.tidy(() => {
      const mask = (step: number, place: number) => [...createDropout(0.3, [step, place])!.mask([7, 33]).dataSync()];
      expect(mask(1, 2)).toEqual(mask(1, 2));
      expect(mask(1, 2)).not.toEqual(mask(2, 2));
      expect(mask(1, 2)).not.toEqual(mask(1, 3));
      expect(createDropout(0, [1, 2])).toBeUndefined();
    });
  });

  it('is replayed exactly, differs from step to step, and is off without a rate', async () => {
    const model = await loadTiny();
    const batch = batchOfLengths([3, 9, 5], [40, 17, 64]);
    const run = (dropout?: DropoutSettings) => checkpointGradients(model, batch, dropout);
    const first = run({ rate: 0.1, seed: 1 });
    const again = run({ rate: 0.1, seed: 1 });
    expect(again.loss).toBe(first.loss);
    for (const [name, { data }] of first.gradients) expect(again.gradients.get(name)!.data, name).toEqual(data);
    expect(run({ rate: 0.1, seed: 2 }).loss).not.toBe(first.loss);
    expect(run({ rate: 0, seed: 1 }).loss).toBe(run().loss);
    expect(run().loss).not.toBe(first.loss);
  });
});
