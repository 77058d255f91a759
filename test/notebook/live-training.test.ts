// The training cell: stopped as by Jupyter's button and run again, it says where it goes on, its curve whole.
import path from 'node:path';
import { trainLive, type Variant } from 'finetune-embedding';
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';
import { FIVE_STEPS } from '../train/five-steps';

let write: MockInstance;
beforeEach(() => {
  write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());
const printed = () => write.mock.calls.map(([text]) => String(text)).join('');

it('goes on where it was stopped, or says why it starts anew; each evaluation is whole', async () => {
  let steps = 0;
  const stopAtThird: Variant = (method) => ({
    ...method,
    lossAndGradients: (...step) => {
      if (++steps === 3) process.emit('SIGINT', 'SIGINT');
      return method.lossAndGradients(...step);
    },
  });
  const data = pairsAsData(texts.tinyPairs);
  const outputDir = path.join(temporaryFolder(), 'trained');
  const run = async (epochs = 1) => {
    const model = await loadTiny();
    const recipe = { ...FIVE_STEPS, learningRate: 1e-3, epochs };
    const own = { recipe, seed: 1, outputDir, evaluationSteps: 1, variant: stopAtThird };
    return trainLive(model, { data, ...own, embedder: model, validation: data, metric: 'MAP@100' });
  };
  const stopped = await run();
  expect([stopped.stopped, stopped.steps.length]).toEqual([true, 3]);
  expect(printed()).toMatch(/Training: 3 of 5 .*stopped; the best model so far is kept, and the next run goes on here/);
  expect(printed()).not.toContain('going on');

  const rest = await run();
  expect(printed()).toContain('Training: going on from step 3 of 5.');
  expect(printed()).toMatch(
    /Training loss and evaluations: loss of each batch \(5 values\).*MAP@100 \(right\) \(6 values\)/,
  );
  expect(rest.evaluations).toHaveLength(6);
  for (const { hitRate, metrics, score } of rest.evaluations) {
    expect(hitRate).toBeGreaterThan(0);
    expect(metrics['MAP@100']).toBe(score);
  }
  steps = 0;
  await run();
  await run(2);
  expect(printed()).toContain('Training: starting anew, because EPOCHS changed.');
});
