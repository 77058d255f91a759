// Training by windows: a chunk's windows as its vectors.
import { RECIPES, type Recipe, train } from 'finetune-embedding';
import { describe, expect, it } from 'vitest';
import { loadTiny, pairsAsData, texts } from '../fixtures/engine';
import { options } from './five-steps';

const recipe: Recipe = { ...RECIPES.best, windows: undefined, batchSize: 4, epochs: 2, learningRate: 1e-3 };

async function run(changes: Partial<Recipe> = {}, pairs = texts.tinyPairs) {
  const model = await loadTiny();
  const settings = options({ data: pairsAsData(pairs), recipe: { ...recipe, ...changes }, evaluationSteps: 100 });
  const { steps } = await train(model, settings);
  return { model, losses: steps.map(({ loss }) => loss) };
}

describe('train', () => {
  it('with windows learns, and with windows as long as the text takes the same steps as without', async () => {
    const firstWords = (text: string) => text.split(' ').slice(0, 4).join(' ');
    const short: typeof texts.tinyPairs = texts.tinyPairs.map(([question, chunk]) => [question, firstWords(chunk)]);
    const plain = await run({}, short);
    const whole = await run({ windows: { size: 30, stride: 30 } }, short);
    expect(whole.losses).toEqual(plain.losses);

    const { model, losses } = await run({ windows: { size: 4, stride: 3 }, epochs: 20 });
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-3))).toBeLessThan(0.5 * mean(losses.slice(0, 3)));
    await expect(run({ windows: { size: model.maxSeqLength, stride: 1 } })).rejects.toThrow(
      /Windows of \d+ word pieces are more than the model's/,
    );
  });
});
