// In: settings. Out: a recipe. Here are two: the original notebook's, to the letter, and one that retrieves better.

import type { WindowSettings } from '../common/windows';
import type { Batching } from './batches';

/** Everything that decides how a run trains; the notebook's settings cell shows and overrides most of it. */
export interface Recipe {
  batching: Batching;
  /** Pairs a batch (`file-order`), or distinct chunks with all their questions a batch (`distinct-chunks`). */
  batchSize: number;
  /** Encodes each chunk by windows, whose scores make its own; without, as one text cut at the model's length. */
  windows?: WindowSettings;
  epochs: number;
  /** Peak learning rate of the linear schedule. */
  learningRate: number;
  /** Share of all steps over which the learning rate rises from 0. */
  warmupRatio: number;
  /** Dropout of hidden states and attention weights. */
  dropout: number;
}

/** `original`: the settings of the run-llama/finetune-embedding notebook. `best`: what measured best here. */
export const RECIPES: Record<'original' | 'best', Recipe> = {
  original: { batching: 'file-order', batchSize: 10, epochs: 2, learningRate: 2e-5, warmupRatio: 0.1, dropout: 0.1 },
  best: {
    batching: 'distinct-chunks',
    batchSize: 9,
    windows: { size: 94, stride: 94 }, // end to end: while training, every word is read once
    epochs: 4,
    learningRate: 5e-5,
    warmupRatio: 0.1,
    dropout: 0,
  },
};

/** @throws Error that names the setting which cannot be trained with, and its range */
export function checkRecipe({ epochs, batchSize, learningRate, dropout }: Recipe): void {
  checkWhole('EPOCHS', epochs);
  checkWhole('BATCH_SIZE', batchSize);
  if (!(learningRate > 0 && learningRate < 1))
    throw new Error(`LEARNING_RATE is ${learningRate}; it must be above 0 and below 1.`);
  if (!(dropout >= 0 && dropout < 1)) throw new Error(`DROPOUT is ${dropout}; it must be from 0 to below 1.`);
}

/** @throws Error if a setting is no whole number from 1 */
export function checkWhole(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw new Error(`${name} is ${value}; it must be a whole number from 1.`);
}
