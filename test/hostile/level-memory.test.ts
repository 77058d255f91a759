// One process that loads, trains and evaluates again and again, as a kernel does: it holds no more after than before.
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { evaluateEmbedder, loadModel, RECIPES, type Recipe, tf, train } from 'finetune-embedding';
import { expect, it } from 'vitest';
import { pairsAsData, TINY, temporaryFolder, texts } from '../fixtures/engine';

const ROUNDS = 3;
/** 34 epochs of 5 steps: 510 steps in three rounds. */
const recipe: Recipe = { ...RECIPES.best, windows: undefined, batchSize: 4, epochs: 34, dropout: 0.1 };
/** Growth from the first round's end to the last's: the allocator's, which ends after five rounds (about 90 MB in all). */
const RESIDENT_SLACK = 120e6;
/** JavaScript's own, after a collection. */
const HEAP_SLACK = 2e6;

v8.setFlagsFromString('--expose-gc');
const collectGarbage: () => void = vm.runInNewContext('gc');

it('holds as many tensors and as much memory after 500 steps, 3 evaluations and 3 loads as after a third of them', async () => {
  const data = pairsAsData(texts.tinyPairs);
  const outputDir = path.join(temporaryFolder(), 'trained');
  const before = tf.memory();
  const used: NodeJS.MemoryUsage[] = [];
  let steps = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const model = await loadModel(round ? outputDir : TINY);
    const { numTensors } = tf.memory();
    await train(model, { data, recipe, outputDir, seed: round, onStep: () => steps++, evaluationSteps: 1000 });
    expect(tf.memory().numTensors).toBe(numTensors);
    await evaluateEmbedder(model, data);
    model.dispose();
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    await new Promise(setImmediate);
    collectGarbage();
    used.push(process.memoryUsage());
  }
  expect(steps).toBe(510);
  const [first, last] = [used[0], used[ROUNDS - 1]];
  expect(last.rss - first.rss).toBeLessThan(RESIDENT_SLACK);
  expect(last.heapUsed + last.external - first.heapUsed - first.external).toBeLessThan(HEAP_SLACK);
});
