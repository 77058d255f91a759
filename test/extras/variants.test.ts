// Variants of training as the loop takes them: each alone, and several combined.
import path from 'node:path';
import {
  type EmbeddingModel,
  loadModel,
  RECIPES,
  type Recipe,
  type TrainingBatch,
  type TrainOptions,
  tf,
  train,
  type Variant,
} from 'finetune-embedding';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import { combine, guided, hardNegatives, lora, matryoshka, selfGuided, symmetricLoss } from 'finetune-embedding/extras';
import { describe, expect, it } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';

const recipe: Recipe = { ...RECIPES.best, windows: undefined, batchSize: 4, epochs: 2, learningRate: 1e-3 };
const data = pairsAsData(texts.tinyPairs);

async function run(variant?: Variant, changes: Partial<TrainOptions> = {}) {
  const model = await loadTiny();
  const outputDir = path.join(temporaryFolder(), 'trained');
  const result = await train(model, { data, recipe, outputDir, seed: 1, evaluationSteps: 100, variant, ...changes });
  return { model, outputDir, losses: result.steps.map(({ loss }) => loss) };
}

const weightsOf = async (model: EmbeddingModel) =>
  new Map([...storedWeights(model)].map(([name, { data }]) => [name, data]));

/** Keeps the batches that reach the step. */
function watchBatches() {
  const seen: TrainingBatch[] = [];
  const watch: Variant = (method) => ({
    ...method,
    lossAndGradients: (model, tokenized, options) => {
      seen.push(tokenized.batch);
      return method.lossAndGradients(model, tokenized, options);
    },
  });
  return { seen, watch };
}

describe('lora', () => {
  it('changes the adapted matrices, leaves all else, and saves the merged model', async () => {
    const before = await weightsOf(await loadTiny());
    const { model, outputDir, losses } = await run(lora({ rank: 2, alpha: 4 }), {
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

  it('frees what it needed', async () => {
    await run(lora({ rank: 2, alpha: 4 }));
    const level = tf.memory().numTensors;
    const { model } = await run(lora({ rank: 2, alpha: 4 }));
    expect(tf.memory().numTensors - level).toBe(model.weights.size);
  });
});

describe('a variant', () => {
  it('trains on the batches that its prepareBatch returns', async () => {
    const seen: TrainingBatch[] = [];
    const masked = await run((method) => ({
      ...method,
      prepareBatch: (batch) => {
        const all = Array.from(batch.targets, (target, row) =>
          Array.from({ length: batch.columns }, (_, column) => [row, column] as [number, number]).filter(
            ([, c]) => c !== target,
          ),
        ).flat();
        seen.push(batch);
        return { ...batch, knownPositives: all };
      },
    }));
    expect(seen.length).toBe(masked.losses.length);
    // With every negative masked there is nothing to tell apart, and nothing to lose.
    for (const loss of masked.losses) expect(loss).toBeCloseTo(0, 5);
  });

  it.each<[string, () => Variant | Promise<Variant>]>([
    ['symmetricLoss', () => symmetricLoss()],
    ['matryoshka', () => matryoshka({ dims: [32, 16] })],
    ['selfGuided', () => selfGuided({ margin: 0.05, strategy: 'relative' })],
    ['guided', async () => guided(await loadTiny(), data, { margin: 0.05, strategy: 'relative' })],
  ])('takes other steps than the plain method, and learns: %s', async (_, variant) => {
    const [plain, { losses }] = [await run(), await run(await variant(), { recipe: { ...recipe, epochs: 10 } })];
    expect(losses[0]).not.toBe(plain.losses[0]);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
  });
});

describe('hardNegatives', () => {
  it('adds those of the dataset to each batch, and refuses a dataset without any', async () => {
    const far = { q0: ['c9'], q1: ['c9'] };
    const { seen, watch } = watchBatches();
    await run(combine(hardNegatives({ ...data, hardNegatives: far }), watch), {
      recipe: { ...recipe, batching: 'file-order', epochs: 1 },
    });
    expect(seen[0].chunkIds).toContain('c9');
    expect(seen[0].columns).toBe(5);
    expect(seen[1].columns).toBe(4);
    expect(() => hardNegatives(data)).toThrow(/no hard negatives.*mineHardNegatives/);
  });
});

describe('combine', () => {
  it('joins other losses and LoRA', async () => {
    const losses = [symmetricLoss(), matryoshka({ dims: [32, 16] })];
    const joint = await run(combine(...losses, lora({ rank: 2, alpha: 4 })));
    expect(joint.losses).not.toEqual((await run(lora({ rank: 2, alpha: 4 }))).losses);
  });

  it('changes a batch by one variant after the other', async () => {
    const { seen, watch } = watchBatches();
    const negatives = hardNegatives({ ...data, hardNegatives: { q0: ['c9'] } });
    const filter = await guided(await loadTiny(), data, { margin: 2, strategy: 'absolute' }); // spares every chunk
    await run(combine(negatives, filter, watch), { recipe: { ...recipe, batching: 'file-order', epochs: 1 } });
    expect(seen[0].columns).toBe(5);
    expect(seen[0].knownPositives).toContainEqual([0, 4]);
  });

  it('refuses a loss that would replace the one before it', async () => {
    await expect(run(combine(matryoshka({ dims: [32, 16] }), symmetricLoss()))).rejects.toThrow('put it first');
  });
});
