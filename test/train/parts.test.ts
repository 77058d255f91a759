// A batch encoded in parts, kept for the gradient or encoded again: the same loss and gradients as in one.
import { multipleNegativesRankingLoss, tf } from 'finetune-embedding';
import { symmetricRankingLoss } from 'finetune-embedding/dist/extras/symmetric-ranking.js';
import { describe, expect, it, vi } from 'vitest';
import { examplePairs, loadTiny, pairsAsData, texts } from '../fixtures/engine';
import { allWeights, firstBatch, lossAndGradients, norm } from './helpers';

type Result = ReturnType<typeof lossAndGradients>;

/** Σ over parts rounds differently; as a share of the largest gradient, so that a key bias's 0 ± rounding counts as 0. */
function expectSame(actual: Result, expected: Result): void {
  expect(Math.abs(actual.loss / expected.loss - 1)).toBeLessThan(1e-5);
  expect([...actual.gradients.keys()].sort()).toEqual([...expected.gradients.keys()].sort());
  const largest = Math.max(...[...expected.gradients.values()].map((gradient) => norm(gradient.dataSync())));
  for (const [name, gradient] of expected.gradients) {
    const difference = tf.tidy(() => tf.sub(actual.gradients.get(name)!, gradient).dataSync());
    const size = Math.max(norm(gradient.dataSync()), 1e-3 * largest);
    expect(norm(difference) / size, name).toBeLessThan(1e-5);
  }
  for (const { gradients } of [actual, expected]) tf.dispose([...gradients.values()]);
}

/** Numbers of which the last part alone keeps any. */
const NOTHING_KEPT = 0;

describe('a batch in parts', () => {
  it.each([
    [1, NOTHING_KEPT],
    [70, 30_000],
    [70, 60_000],
    [70, 1e9],
    [200, NOTHING_KEPT],
    [100_000, NOTHING_KEPT],
  ])('of %i tokens, with %i numbers kept, gives the gradients of one', async (tokensPerPart, keptNumbers) => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 12);
    for (const loss of [multipleNegativesRankingLoss, symmetricRankingLoss]) {
      const inParts = lossAndGradients(model, batch, { tokensPerPart, keptNumbers, loss });
      expectSame(inParts, lossAndGradients(model, batch, { loss }));
    }
  });

  it('encodes no more tokens at a time than asked, and twice only what is not kept', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, examplePairs(), 50);
    const forward = vi.spyOn(model.encoder, 'forward');
    const tokensOfCalls = (keptNumbers: number) => {
      forward.mockClear();
      const { gradients } = lossAndGradients(model, batch, { tokensPerPart: 256, keptNumbers });
      tf.dispose([...gradients.values()]);
      return forward.mock.calls.map(([, { tokens }]) => tokens);
    };
    const parts = tokensOfCalls(1e9);
    expect(parts.length).toBeGreaterThan(4);
    expect(Math.max(...parts)).toBeLessThanOrEqual(256);
    expect(forward.mock.calls.every(([, , , keepHidden]) => keepHidden)).toBe(true);
    const { hidden, others } = model.encoder.keptPerToken;
    const [tokens, lastTwo] = [parts, parts.slice(-2)].map((some) => some.reduce((sum, own) => sum + own, 0));
    expect(tokensOfCalls(tokens * (others + hidden))).toEqual(parts);
    expect(forward.mock.calls.every(([, , , keepHidden]) => keepHidden)).toBe(true);
    // Room for all but the hidden layers.
    expect(tokensOfCalls(tokens * (others + hidden) - 1)).toEqual(parts);
    expect(forward.mock.calls.some(([, , , keepHidden]) => keepHidden)).toBe(false);
    expect(tokensOfCalls(lastTwo * others)).toHaveLength(2 * parts.length - 2);
    expect(tokensOfCalls(NOTHING_KEPT)).toHaveLength(2 * parts.length - 1);
  });

  it('holds no more memory for a batch four times as large', async () => {
    const model = await loadTiny();
    const data = examplePairs();
    const peakOf = (pairs: number, keptNumbers: number) => {
      const batch = firstBatch(model, data, pairs);
      const before = tf.memory().numBytes;
      let peak = 0;
      const backward = model.encoder.backward.bind(model.encoder);
      model.encoder.backward = (...inputs) => {
        peak = Math.max(peak, tf.memory().numBytes - before); // all activations are there now
        return backward(...inputs);
      };
      const { gradients } = lossAndGradients(model, batch, { tokensPerPart: 256, keptNumbers });
      model.encoder.backward = backward;
      tf.dispose([...gradients.values()]);
      return peak;
    };
    const gradientBytes = [...model.weights.values()].reduce((sum, { size }) => sum + 4 * size, 0);
    expect(peakOf(48, NOTHING_KEPT)).toBeLessThan(1.2 * peakOf(12, NOTHING_KEPT) + gradientBytes);
    expect(peakOf(48, 1e9)).toBeGreaterThan(3 * peakOf(48, NOTHING_KEPT));
  });

  it('draws the same dropout masks in both passes', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 6);
    const options = { dropout: { rate: 0.2, seed: 5 }, tokensPerPart: 60, keptNumbers: NOTHING_KEPT };
    const { loss, gradients } = lossAndGradients(model, batch, options);
    const again = lossAndGradients(model, batch, options);
    expect(again.loss).toBe(loss);
    tf.dispose([...again.gradients.values()]);
    // The gradient is the slope of the very loss that was returned: (L(w + εg) − L(w − εg)) / 2ε = ‖g‖².
    for (const name of ['encoder.layer.0.intermediate.dense.weight', 'encoder.layer.1.output.dense.weight']) {
      const weight = model.weights.get(name)!;
      const gradient = gradients.get(name)!;
      const size = norm(gradient.dataSync());
      const lossAt = (factor: number) => {
        const moved = tf.tidy(() => tf.add(weight, tf.mul(gradient, factor)));
        model.weights.set(name, moved);
        const shifted = lossAndGradients(model, batch, options);
        tf.dispose([moved, ...shifted.gradients.values()]);
        return shifted.loss;
      };
      const epsilon = 0.01 / size;
      const slope = (lossAt(epsilon) - lossAt(-epsilon)) / (2 * epsilon * size);
      model.weights.set(name, weight);
      expect(Math.abs(slope / size - 1), name).toBeLessThan(0.02);
    }
    tf.dispose([...gradients.values()]);
  });

  it('drops differently from one part to the next', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 6);
    const dropout = { rate: 0.2, seed: 5 };
    // The same text twice, one a part: without dropout the same vector, with it not.
    const twice = { ...batch, questions: Array(6).fill(batch.questions[0]), chunks: Array(6).fill(batch.questions[0]) };
    const lossWith = (options: object) => {
      const { loss, gradients } = lossAndGradients(model, twice, { tokensPerPart: 1, ...options });
      tf.dispose([...gradients.values()]);
      return loss;
    };
    expect(lossWith({})).toBeCloseTo(Math.log(6), 5);
    expect(Math.abs(lossWith({ dropout }) - Math.log(6))).toBeGreaterThan(0.01);
  });

  it('leaves no tensor behind but the gradients', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 12);
    allWeights(model);
    const before = tf.memory().numTensors;
    for (const dropout of [undefined, { rate: 0.1, seed: 1 }]) {
      const { gradients } = lossAndGradients(model, batch, { tokensPerPart: 80, keptNumbers: NOTHING_KEPT, dropout });
      expect(tf.memory().numTensors - before).toBe(gradients.size);
      tf.dispose([...gradients.values()]);
    }
  });
});
