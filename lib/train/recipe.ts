// The two recipes: the original notebook's, to the letter, and the one that retrieves better.
import type { WindowSettings } from '../common/windows';
import type { Batching } from './batches';

/** Everything that decides how a run trains; the notebook's settings cell shows and overrides most of it. */
export interface Recipe {
  batching: Batching;
  /** Pairs a batch (`file-order`), or distinct chunks with all their questions a batch (`distinct-chunks`). */
  batchSize: number;
  /** Of `distinct-chunks`: so many chunks that follow each other stay in one batch, as harder negatives; 1 by default. */
  neighbours?: number;
  /** Encodes each chunk by overlapping windows, whose scores make its own; without, as one text cut at the model's length. */
  windows?: WindowSettings;
  epochs: number;
  /** Peak learning rate of the linear schedule. */
  learningRate: number;
  /** Each layer's learning rate as a share of that of the layer above it; 1 by default. LoRA trains all layers alike. */
  layerDecay?: number;
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
    batchSize: 16,
    windows: { size: 94, stride: 94 }, // end to end: while training, every word is read once
    epochs: 3,
    learningRate: 1e-4,
    warmupRatio: 0.1,
    dropout: 0,
  },
};
