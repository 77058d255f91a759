// What the loop does with input that it cannot train on, and with a loss that stops being a number.
import fs from 'node:fs';
import path from 'node:path';
import { type Loss, multipleNegativesRankingLoss, type Recipe, tf, train, type Variant } from 'finetune-embedding';
import { readSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { describe, expect, it } from 'vitest';
import { loadTiny, pairsAsData, texts } from '../fixtures/engine';
import { FIVE_STEPS, isWeightsOf, options, scores } from './five-steps';

describe('a loss or gradient that is not finite', () => {
  /** The usual loss, whose value or gradient goes bad at the third step. */
  const badAtThird = (spoil: (loss: tf.Scalar, questions: tf.Tensor2D) => tf.Tensor): Variant => {
    let calls = 0;
    const loss: Loss = (questions, columns, batch) => {
      const usual = multipleNegativesRankingLoss(questions, columns, batch);
      return (++calls === 3 ? spoil(usual, questions) : usual) as tf.Scalar;
    };
    return (method) => ({ ...method, loss });
  };

  it.each([
    ['NaN', badAtThird((loss) => tf.mul(loss, Number.NaN))],
    ['Infinity', badAtThird((loss) => tf.mul(loss, Number.POSITIVE_INFINITY))],
    // √0 has an infinite slope: the loss is finite, its gradient is not.
    ['gradient', badAtThird((loss, questions) => tf.add(loss, tf.sum(tf.sqrt(tf.mul(questions, 0)))))],
  ])('stops with the step and the queries, and leaves good weights: %s', async (what, variant) => {
    const model = await loadTiny();
    const before = tf.memory().numTensors;
    const settings = options({ variant, evaluate: scores(0.1, 0.2, 0.3) });
    const run = train(model, settings);
    await expect(run).rejects.toThrow(
      new RegExp(`${what}.*step 3\\b.*q8, q9, q10, q11|step 3\\b.*${what}.*q8, q9, q10, q11`, 's'),
    );
    expect(tf.memory().numTensors).toBe(before);
    const saved = readSafetensors(path.join(settings.outputDir, 'model.safetensors'));
    expect([...saved.values()].every(({ data }) => data.every(Number.isFinite))).toBe(true);
    expect(await isWeightsOf(settings.outputDir, model)).toBe(true); // those after step 2
  });

  it('leaves the last good weights also where nothing evaluates', async () => {
    const model = await loadTiny();
    const settings = options({ variant: badAtThird((loss) => tf.mul(loss, Number.NaN)) });
    await expect(train(model, settings)).rejects.toThrow(/step 3/);
    expect(await isWeightsOf(settings.outputDir, model)).toBe(true);
  });
});

describe('input', () => {
  it.each<[string, Partial<Recipe>, RegExp]>([
    ['batchSize', { batchSize: 0 }, /BATCH_SIZE is 0/],
    ['batchSize', { batchSize: 2.5 }, /BATCH_SIZE is 2\.5/],
    ['epochs', { epochs: 0 }, /EPOCHS is 0/],
    ['learningRate', { learningRate: Number.NaN }, /LEARNING_RATE is NaN/],
    ['dropout', { dropout: 1 }, /DROPOUT is 1/],
  ])('is refused before any work: %s', async (_, change, message) => {
    const settings = options({ recipe: { ...FIVE_STEPS, ...change } });
    await expect(train(await loadTiny(), settings)).rejects.toThrow(message);
    expect(fs.existsSync(settings.outputDir)).toBe(false);
  });

  it('is refused: one single pair, or questions about one chunk only, or none', async () => {
    const model = await loadTiny();
    for (const pairs of [
      texts.tinyPairs.slice(0, 1),
      [
        ['a', 'x'],
        ['b', 'x'],
      ] as [string, string][],
      [],
    ]) {
      await expect(train(model, options({ data: pairsAsData(pairs) }))).rejects.toThrow(/at least 2/);
    }
  });

  it('is refused by id: a question without a chunk, a chunk that the corpus lacks', async () => {
    const model = await loadTiny();
    const data = pairsAsData(texts.tinyPairs);
    const without = { ...data, relevantDocs: { ...data.relevantDocs, q3: [] } };
    await expect(train(model, options({ data: without }))).rejects.toThrow(/q3/);
    const dangling = { ...data, relevantDocs: { ...data.relevantDocs, q3: ['c99'] } };
    await expect(train(model, options({ data: dangling }))).rejects.toThrow(/c99/);
  });

  it.each(['file-order', 'distinct-chunks'] as const)('may be smaller than BATCH_SIZE (%s)', async (batching) => {
    const recipe: Recipe = { ...FIVE_STEPS, batching, batchSize: 1000 };
    const { steps } = await train(await loadTiny(), options({ recipe }));
    expect(steps.map(({ totalSteps }) => totalSteps)).toEqual([1]);
  });

  it('may end in a batch of one pair, which has nothing to lose', async () => {
    const data = pairsAsData([...texts.tinyPairs, ['Is there more?', 'There is one more chunk.']]);
    const { steps } = await train(await loadTiny(), options({ data }));
    expect(steps).toHaveLength(6);
    expect(Math.abs(steps[5].loss)).toBe(0);
  });

  it('may have empty texts, and texts far beyond the model’s length', async () => {
    const data = pairsAsData([
      ['', 'a chunk'],
      ['a question', ''],
      ['long', 'the ferry '.repeat(500)],
    ]);
    const { steps } = await train(await loadTiny(), options({ data }));
    expect(steps.every(({ loss }) => Number.isFinite(loss) && loss > 0)).toBe(true);
  });
});
