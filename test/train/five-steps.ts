// A run of five steps on the tiny model: its options, and what it left behind.
import path from 'node:path';
import { type EmbeddingModel, RECIPES, type Recipe, type TrainOptions } from 'finetune-embedding';
import { readSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import { pairsAsData, temporaryFolder, texts } from '../fixtures/engine';

/** File order, batches of 4: five steps of the twenty pairs, at learning rates × 0, 1, 3/4, 1/2, 1/4. */
export const FIVE_STEPS: Recipe = { ...RECIPES.original, batchSize: 4, epochs: 1, warmupRatio: 0.2, dropout: 0 };

/** Options of a five-step run into a folder of its own. */
export const options = (changes: Partial<TrainOptions> = {}): TrainOptions => ({
  data: pairsAsData(texts.tinyPairs),
  recipe: FIVE_STEPS,
  outputDir: path.join(temporaryFolder(), 'trained'),
  seed: 1,
  evaluationSteps: 1,
  ...changes,
});

/** Whether a folder's model is the one that is held in memory. */
export const isWeightsOf = async (folder: string, model: EmbeddingModel) => {
  const saved = readSafetensors(path.join(folder, 'model.safetensors'));
  const held = storedWeights(model);
  return [...held].every(([name, { data }]) => data.every((value, i) => value === saved.get(name)!.data[i]));
};

/** An evaluation that gives the scores listed, one after another. */
export const scores = (...values: number[]) => {
  let next = 0;
  return async () => values[Math.min(next++, values.length - 1)];
};
