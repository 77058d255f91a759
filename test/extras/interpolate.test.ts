import { interpolateWeights } from 'finetune-embedding/extras';
import { describe, expect, it } from 'vitest';
import { loadTiny } from '../fixtures/engine';

const NAME = 'encoder.layer.0.attention.output.dense.weight';

/** The tiny model with all weights of one matrix raised by 1. */
async function raised() {
  const model = await loadTiny();
  const before = model.weights.get(NAME)!;
  model.weights.set(NAME, before.add(1));
  before.dispose();
  return model;
}

describe('interpolateWeights', () => {
  it('moves each weight the given share of the way to the base', async () => {
    const [model, base] = [await raised(), await loadTiny()];
    interpolateWeights(model, base, 0.25);
    for (const [name, tensor] of model.weights) {
      const [own, of] = [tensor.dataSync(), base.weights.get(name)!.dataSync()];
      own.forEach((value, i) => {
        expect(value).toBeCloseTo(of[i] + (name === NAME ? 0.75 : 0), 5);
      });
    }
  });

  it('leaves the model as it is at 0, and makes it the base at 1', async () => {
    const [model, base] = [await raised(), await loadTiny()];
    const own = model.weights.get(NAME)!.dataSync();
    interpolateWeights(model, base, 0);
    expect(model.weights.get(NAME)!.dataSync()).toEqual(own);
    interpolateWeights(model, base, 1);
    expect(model.weights.get(NAME)!.dataSync()).toEqual(base.weights.get(NAME)!.dataSync());
  });

  it('refuses a share out of range, and a base of another shape, and changes nothing then', async () => {
    const [model, base] = [await raised(), await loadTiny()];
    const own = model.weights.get(NAME)!;
    expect(() => interpolateWeights(model, base, 1.5)).toThrow("The base's share is 1.5; it must be from 0 to 1.");
    base.weights.set(NAME, base.weights.get(NAME)!.slice([0, 0], [1, -1]));
    expect(() => interpolateWeights(model, base, 0.5)).toThrow(NAME);
    expect(model.weights.get(NAME)).toBe(own);
  });
});
