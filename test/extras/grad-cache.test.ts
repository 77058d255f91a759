// Gradient caching against the plain step: the same loss and gradients from any mini-batch size.
import { type EmbeddingModel, multipleNegativesRankingLoss, tf } from 'finetune-embedding';
import { cachedLossAndGradients } from 'finetune-embedding/dist/extras/grad-cache.js';
import { symmetricRankingLoss } from 'finetune-embedding/dist/extras/symmetric-ranking.js';
import { lossAndGradients } from 'finetune-embedding/dist/train/step.js';
import { gradientCaching } from 'finetune-embedding/extras';
import { describe, expect, it, vi } from 'vitest';
import { examplePairs, loadTiny, pairsAsData, texts } from '../fixtures/engine';
import { firstBatch, norm } from '../train/helpers';

type Result = ReturnType<typeof lossAndGradients>;

/** Σ over mini-batches rounds differently; as a share of the largest gradient, so that a key bias's 0 ± rounding counts as 0. */
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

const tokensOf = ({ questions, chunks }: ReturnType<typeof firstBatch>) =>
  [...questions, ...chunks].reduce((sum, { length }) => sum + length, 0);

/** The tokens of each call of the encoder. */
function watchTokens({ encoder }: EmbeddingModel): () => number[] {
  const watched = [vi.spyOn(encoder, 'infer'), vi.spyOn(encoder, 'forward')];
  return () => watched.flatMap(({ mock }) => mock.calls.map(([, batch]) => batch.tokens));
}

describe('cachedLossAndGradients', () => {
  it.each([1, 70, 200, 100_000])(
    'gives the plain batch’s gradients with %i tokens at a time',
    async (tokensPerMiniBatch) => {
      const model = await loadTiny();
      const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 12);
      for (const loss of [multipleNegativesRankingLoss, symmetricRankingLoss]) {
        const cached = cachedLossAndGradients(model, batch, { tokensPerMiniBatch, loss });
        expectSame(cached, lossAndGradients(model, batch, { loss }));
      }
    },
  );

  it('encodes no more tokens at a time than asked, and all but the last mini-batch twice', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, examplePairs(), 50);
    const tokensOfCalls = watchTokens(model);
    const { gradients } = cachedLossAndGradients(model, batch, { tokensPerMiniBatch: 256 });
    tf.dispose([...gradients.values()]);
    expect(tokensOf(batch)).toBeGreaterThan(4 * 256);
    const seen = tokensOfCalls();
    expect(Math.max(...seen)).toBeLessThanOrEqual(256);
    expect(seen.length).toBeGreaterThanOrEqual(2 * Math.ceil(tokensOf(batch) / 256) - 1);
    expect(seen.length % 2).toBe(1);
  });

  it('holds no more memory for a batch four times as large', async () => {
    const model = await loadTiny();
    const data = examplePairs();
    const peakOf = (pairs: number, tokensPerMiniBatch: number) => {
      const batch = firstBatch(model, data, pairs);
      const before = tf.memory().numBytes;
      let peak = 0;
      const backward = model.encoder.backward.bind(model.encoder);
      model.encoder.backward = (...inputs) => {
        peak = Math.max(peak, tf.memory().numBytes - before); // all activations are there now
        return backward(...inputs);
      };
      const { gradients } = cachedLossAndGradients(model, batch, { tokensPerMiniBatch });
      model.encoder.backward = backward;
      tf.dispose([...gradients.values()]);
      return peak;
    };
    const gradientBytes = [...model.weights.values()].reduce((sum, { size }) => sum + 4 * size, 0);
    expect(peakOf(48, 256)).toBeLessThan(1.2 * peakOf(12, 256) + gradientBytes);
    expect(peakOf(48, 100_000)).toBeGreaterThan(3 * peakOf(48, 256));
  });

  it('draws the same dropout masks in both passes', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 6);
    const options = { dropout: { rate: 0.2, seed: 5 }, tokensPerMiniBatch: 60 };
    const { loss, gradients } = cachedLossAndGradients(model, batch, options);
    const again = cachedLossAndGradients(model, batch, options);
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
        const shifted = cachedLossAndGradients(model, batch, options);
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

  it('drops as the plain step does where all fits one mini-batch, and differently from one mini-batch to the next', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 6);
    const dropout = { rate: 0.2, seed: 5 };
    expectSame(cachedLossAndGradients(model, batch, { dropout }), lossAndGradients(model, batch, { dropout }));
    // The same text twice, one a mini-batch: without dropout the same vector, with it not.
    const twice = { ...batch, questions: Array(6).fill(batch.questions[0]), chunks: Array(6).fill(batch.questions[0]) };
    const lossWith = (options: object) => {
      const { loss, gradients } = cachedLossAndGradients(model, twice, { tokensPerMiniBatch: 1, ...options });
      tf.dispose([...gradients.values()]);
      return loss;
    };
    expect(lossWith({})).toBeCloseTo(Math.log(6), 5);
    expect(Math.abs(lossWith({ dropout }) - Math.log(6))).toBeGreaterThan(0.01);
  });

  it('leaves no tensor behind but the gradients', async () => {
    const model = await loadTiny();
    const batch = firstBatch(model, pairsAsData(texts.tinyPairs), 12);
    const before = tf.memory().numTensors;
    for (const dropout of [undefined, { rate: 0.1, seed: 1 }]) {
      const { gradients } = cachedLossAndGradients(model, batch, { tokensPerMiniBatch: 80, dropout });
      expect(tf.memory().numTensors - before).toBe(gradients.size);
      tf.dispose([...gradients.values()]);
    }
  });

  it('refuses a mini-batch of no tokens', () => {
    expect(() => gradientCaching(0)).toThrow('tokensPerMiniBatch is 0');
  });
});
