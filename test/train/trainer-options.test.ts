// The ways of training that the loop offers besides the plain one: gradient caching, LoRA, changed batches.
import path from 'node:path';
import {
  type EmbeddingModel,
  loadModel,
  RECIPES,
  type Recipe,
  storedWeights,
  type TrainingBatch,
  type TrainOptions,
  tf,
  train,
} from 'finetune-embedding';
import { describe, expect, it } from 'vitest';
import { loadTiny, pairsAsData, relativeError, temporaryFolder, texts } from '../fixtures/engine';

const recipe: Recipe = { ...RECIPES.best, windows: undefined, batchSize: 4, epochs: 2, learningRate: 1e-3 };

async function run(changes: Partial<TrainOptions> = {}) {
  const model = await loadTiny();
  const outputDir = path.join(temporaryFolder(), 'trained');
  const data = pairsAsData(texts.tinyPairs);
  const result = await train(model, { data, recipe, outputDir, seed: 1, evaluationSteps: 100, ...changes });
  return { model, outputDir, losses: result.steps.map(({ loss }) => loss) };
}

const weightsOf = async (model: EmbeddingModel) =>
  new Map([...(await storedWeights(model))].map(([name, { data }]) => [name, data]));

describe('train', () => {
  it('with gradient caching takes the same steps as without', async () => {
    const plain = await run();
    const cached = await run({ tokensPerMiniBatch: 40 });
    expect(relativeError(cached.losses, plain.losses)).toBeLessThan(1e-5);
  });

  it('with windows learns, and with windows as long as the text takes the same steps as without', async () => {
    const firstWords = (text: string) => text.split(' ').slice(0, 4).join(' ');
    const data = pairsAsData(texts.tinyPairs.map(([question, chunk]) => [question, firstWords(chunk)]));
    const plain = await run({ data });
    const whole = await run({ data, recipe: { ...recipe, windows: { size: 30, stride: 30 } } });
    expect(whole.losses).toEqual(plain.losses);

    const windows = { size: 4, stride: 3 };
    const { model } = await run({ recipe: { ...recipe, windows, epochs: 1 } });
    const short = await run({ recipe: { ...recipe, windows, epochs: 20 } });
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(short.losses.slice(-3))).toBeLessThan(0.5 * mean(short.losses.slice(0, 3)));
    await expect(run({ recipe: { ...recipe, windows: { size: model.maxSeqLength, stride: 1 } } })).rejects.toThrow(
      /Windows of \d+ word pieces are more than the model's/,
    );
  });

  it('with windows and gradient caching takes the same steps as with windows alone', async () => {
    const windows = { size: 4, stride: 3 };
    const windowed = { ...recipe, windows };
    const plain = await run({ recipe: windowed });
    const cached = await run({ recipe: windowed, tokensPerMiniBatch: 40 });
    expect(relativeError(cached.losses, plain.losses)).toBeLessThan(1e-5);
  });

  it('with LoRA changes the adapted matrices, leaves all else, and saves the merged model', async () => {
    const before = await weightsOf(await loadTiny());
    const { model, outputDir, losses } = await run({
      lora: { rank: 2, alpha: 4 },
      recipe: { ...recipe, epochs: 30, learningRate: 1e-2 },
    });
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
    const after = await weightsOf(model);
    const changed = [...after].filter(([name, data]) => data.some((value, i) => value !== before.get(name)![i]));
    expect(changed.length).toBeGreaterThan(0);
    for (const [name] of changed) expect(name).toMatch(/(query|key|value|dense)\.weight$/);
    expect(await weightsOf(await loadModel(outputDir))).toEqual(after);
  });

  it('frees what LoRA needed', async () => {
    await run({ lora: { rank: 2, alpha: 4 } });
    const level = tf.memory().numTensors;
    const { model } = await run({ lora: { rank: 2, alpha: 4 } });
    expect(tf.memory().numTensors - level).toBe(model.weights.size);
  });

  it('trains on the batches that prepareBatch returns', async () => {
    const seen: TrainingBatch[] = [];
    const masked = await run({
      prepareBatch: (batch) => {
        const all = Array.from(batch.targets, (target, row) =>
          Array.from({ length: batch.columns }, (_, column) => [row, column] as [number, number]).filter(
            ([, c]) => c !== target,
          ),
        ).flat();
        seen.push(batch);
        return { ...batch, knownPositives: all };
      },
    });
    expect(seen.length).toBe(masked.losses.length);
    // With every negative masked there is nothing to tell apart, and nothing to lose.
    for (const loss of masked.losses) expect(loss).toBeCloseTo(0, 5);
  });
});
