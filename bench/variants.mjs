// The recipes that `npm run bench -- recipe` compares: RECIPE=best, and what it would be with one thing changed.
import fe from 'finetune-embedding';

const { original, best } = fe.RECIPES;
const WINDOWS = { size: 126, stride: 100 };

/** RECIPE=best with some of its settings changed, and further options of the training loop. */
const changed = (settings, options = {}) => ({
  train: () => ({ recipe: { ...best, ...settings }, ...options }),
  halfBase: true,
});

/**
 * Names as they stand in the table. `train` gives the training loop's options; a variant without it is not trained. `halfBase`: measured a second
 * time with weights half-way back to the base.
 */
export const VARIANTS = {
  base: {},
  original: { train: () => ({ recipe: original }) },
  best: changed({}),
  'windows in the loss': changed({}, { windows: WINDOWS }),
  'symmetric loss': changed({}, { loss: fe.symmetricRankingLoss }),
  'learning rate 5e-5': changed({ learningRate: 5e-5 }),
  'learning rate 2e-4': changed({ learningRate: 2e-4 }),
  '2 epochs': changed({ epochs: 2 }),
  '8 chunks a batch': changed({ batchSize: 8 }),
  'dropout 0.1': changed({ dropout: 0.1 }),
  '32 chunks a batch': changed({ batchSize: 32 }, { tokensPerMiniBatch: 8192 }),
};
