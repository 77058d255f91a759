// LoRA: gradients of A and B, the merged weights, and a run of the optimizer over them.
import { type EmbeddingModel, loadModel, saveModel, tf } from 'finetune-embedding';
import { loraUpdates } from 'finetune-embedding/dist/extras/lora.js';
import { AdamW } from 'finetune-embedding/dist/train/adamw.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';
import { allWeights, firstBatch, lossAndGradients, norm } from '../train/helpers';

const SETTINGS = { rank: 4, alpha: 8 };

type Lora = ReturnType<typeof loraUpdates>;

function loraOn(model: EmbeddingModel, seed = 3): Lora {
  const lora = loraUpdates(model, SETTINGS, seed);
  onTestFinished(() => lora.dispose());
  return lora;
}

/** B starts at 0, where A has no gradient: gives it values. */
function fillB(lora: Lora): void {
  for (const [name, tensor] of lora.trainables) {
    if (!name.endsWith('lora_B')) continue;
    lora.trainables.set(name, tf.randomNormal(tensor.shape, 0, 0.1, 'float32', 7));
    tensor.dispose();
  }
  lora.updateWeights();
}

const batchOf = (model: EmbeddingModel) => firstBatch(model, pairsAsData(texts.tinyPairs), 6);

function gradientsOf(model: EmbeddingModel, lora: Lora) {
  const { loss, gradients } = lossAndGradients(model, batchOf(model));
  return { loss, gradients: lora.toTrainables(gradients) };
}

const snapshot = (tensors: Map<string, tf.Tensor>) =>
  new Map([...tensors].map(([name, tensor]) => [name, Array.from(tensor.dataSync())]));

/** Trains A and B for some steps; returns the losses. */
function trainSteps(model: EmbeddingModel, lora: Lora, steps: number): number[] {
  const optimizer = new AdamW(lora.trainables);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss, gradients } = gradientsOf(model, lora);
    losses.push(loss);
    optimizer.step(gradients, 1e-2);
    lora.updateWeights();
  }
  optimizer.dispose();
  return losses;
}

describe('Lora', () => {
  it('starts at the model as it is, with an A and a B for each of a layer’s matrices', async () => {
    const model = await loadTiny();
    const before = snapshot(model.weights);
    const lora = loraOn(model);
    lora.updateWeights();
    expect(snapshot(model.weights)).toEqual(before);
    const shapes = Object.fromEntries([...lora.trainables].map(([name, { shape }]) => [name, shape]));
    expect(Object.keys(shapes)).toHaveLength(2 * 4 * 2);
    expect(shapes['encoder.layer.0.attention.self.qkv.weight.lora_A']).toEqual([3, 4, 32]);
    expect(shapes['encoder.layer.0.attention.self.qkv.weight.lora_B']).toEqual([3, 32, 4]);
    expect(shapes['encoder.layer.1.intermediate.dense.weight.lora_A']).toEqual([1, 4, 32]);
    expect(shapes['encoder.layer.1.intermediate.dense.weight.lora_B']).toEqual([1, 64, 4]);
    const a = lora.trainables.get('encoder.layer.1.output.dense.weight.lora_A')!.dataSync();
    expect(Math.max(...a)).toBeLessThanOrEqual(1 / Math.sqrt(64));
    expect(Math.max(...a)).toBeGreaterThan(0.9 / Math.sqrt(64));
  });

  it('merges W₀ + (α/r)·B·A, query, key and value each on their own', async () => {
    const model = await loadTiny();
    const name = 'encoder.layer.1.attention.self.qkv.weight';
    const frozen = model.weights.get(name)!.arraySync() as number[][];
    const lora = loraOn(model);
    fillB(lora);
    const a = lora.trainables.get(`${name}.lora_A`)!.arraySync() as number[][][];
    const b = lora.trainables.get(`${name}.lora_B`)!.arraySync() as number[][][];
    const merged = model.weights.get(name)!.arraySync() as number[][];
    for (const [row, column] of [
      [0, 0],
      [31, 5],
      [32, 31],
      [50, 17],
      [95, 2],
    ]) {
      const part = Math.floor(row / 32);
      const update = b[part][row % 32].reduce((sum, value, r) => sum + value * a[part][r][column], 0);
      expect(merged[row][column]).toBeCloseTo(frozen[row][column] + 2 * update, 5);
    }
  });

  it('has the gradients that finite differences show', async () => {
    const model = await loadTiny();
    const lora = loraOn(model);
    fillB(lora);
    const { gradients } = gradientsOf(model, lora);
    expect([...gradients.keys()]).toEqual(expect.arrayContaining([...lora.trainables.keys()]));
    for (const [name, gradient] of gradients) {
      const value = lora.trainables.get(name)!;
      const size = norm(gradient.dataSync());
      const lossAt = (factor: number) => {
        const moved = tf.tidy(() => tf.add(value, tf.mul(gradient, factor)));
        lora.trainables.set(name, moved);
        lora.updateWeights();
        const { loss, gradients: unused } = lossAndGradients(model, batchOf(model));
        tf.dispose([moved, ...unused.values()]);
        return loss;
      };
      const epsilon = 0.01 / size;
      const slope = (lossAt(epsilon) - lossAt(-epsilon)) / (2 * epsilon * size);
      lora.trainables.set(name, value);
      expect(Math.abs(slope / size - 1), `${name}: slope ${slope}, gradient ${size}`).toBeLessThan(0.02);
    }
    tf.dispose([...gradients.values()]);
  });

  it('learns, and moves nothing but the adapted matrices', async () => {
    const model = await loadTiny();
    const before = snapshot(model.weights);
    const lora = loraOn(model);
    const losses = trainSteps(model, lora, 12);
    expect(losses[11]).toBeLessThan(0.5 * losses[0]);
    const after = snapshot(model.weights);
    const moved = [...before].filter(([name, values]) => values.some((value, i) => value !== after.get(name)![i]));
    expect(moved.map(([name]) => name).sort()).toEqual(
      [0, 1]
        .flatMap((layer) =>
          ['attention.self.qkv', 'attention.output.dense', 'intermediate.dense', 'output.dense'].map(
            (part) => `encoder.layer.${layer}.${part}.weight`,
          ),
        )
        .sort(),
    );
  });

  it('is merged for good: the saved model, and the model after dispose, embed as the trained one', async () => {
    const model = await loadTiny();
    const lora = loraOn(model);
    trainSteps(model, lora, 3);
    const sample = texts.tinyTexts.filter((text) => text.length > 0);
    const trained = (await model.embedQueries(sample)).data;
    const folder = temporaryFolder();
    await saveModel(model, folder);
    lora.dispose();
    expect((await model.embedQueries(sample)).data).toEqual(trained);
    const loaded = await loadModel(folder);
    onTestFinished(() => loaded.dispose());
    expect((await loaded.embedQueries(sample)).data).toEqual(trained);
  });

  it('keeps the tensor count level over steps, and gives all back', async () => {
    const model = await loadTiny();
    allWeights(model);
    const before = tf.memory().numTensors;
    const lora = loraUpdates(model, SETTINGS, 3);
    trainSteps(model, lora, 1);
    const afterOne = tf.memory().numTensors;
    trainSteps(model, lora, 4);
    expect(tf.memory().numTensors).toBe(afterOne);
    lora.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the same numbers for one seed, others for another', async () => {
    const model = await loadTiny();
    const first = snapshot(loraOn(model, 1).trainables);
    expect(snapshot(loraOn(await loadTiny(), 1).trainables)).toEqual(first);
    expect(snapshot(loraOn(await loadTiny(), 2).trainables)).not.toEqual(first);
  });

  it('refuses a rank or scale out of range', async () => {
    const model = await loadTiny();
    expect(() => loraUpdates(model, { rank: 0, alpha: 8 }, 1)).toThrow('rank is 0');
    expect(() => loraUpdates(model, { rank: 33, alpha: 8 }, 1)).toThrow('rank is 33');
    expect(() => loraUpdates(model, { rank: 4, alpha: 0 }, 1)).toThrow('alpha is 0');
  });
});
