// The recipes that `npm run bench -- recipe` compares: RECIPE=best, and what it would be with one thing changed.
import fe from 'finetune-embedding';

const { original, best } = fe.RECIPES;
const WINDOWS = { size: 126, stride: 100 };

/** RECIPE=best with some of its settings changed, and further options of the training loop. */
const changed = (settings, options = {}) => ({ train: () => ({ recipe: { ...best, ...settings }, ...options }) });

const { tf } = fe;

/** The ranking loss with a chunk scored by its best window alone, in place of all of them. */
function bestWindowLoss(questions, windows, batch) {
  const { targets, columns, vectorColumns } = batch;
  return tf.tidy(() => {
    const cosines = fe.cosineSimilarities(questions, windows); // [questions, windows]
    const values = cosines.arraySync();
    const isBest = values.map((row) => {
      const best = Array(columns).fill(-1);
      row.forEach((value, window) => {
        const column = vectorColumns[window];
        if (best[column] < 0 || value > row[best[column]]) best[column] = window;
      });
      return row.map((_, window) => (best[vectorColumns[window]] === window ? 1 : 0));
    });
    const isOf = tf.oneHot(tf.tensor1d(vectorColumns, 'int32'), columns); // [windows, columns]
    const scores = tf.mul(tf.matMul(tf.mul(cosines, tf.tensor2d(isBest)), isOf), fe.DEFAULT_SCALE);
    return tf.div(
      tf.sum(tf.mul(tf.logSoftmax(scores), tf.oneHot(tf.tensor1d(targets, 'int32'), columns))),
      -targets.length,
    );
  });
}

/**
 * Names as they stand in the table. `train` gives the training loop's options; a variant without it is not trained. `halfBase`: measured a second
 * time with weights half-way back to the base.
 */
export const VARIANTS = {
  base: {},
  original: { train: () => ({ recipe: original }) },
  best: { ...changed({}), halfBase: true },
  'windows in the loss': { ...changed({ windows: WINDOWS }, { loss: bestWindowLoss }), halfBase: true },
  'soft windows in the loss': { ...changed({ windows: WINDOWS }), halfBase: true },
  'soft windows for 2 epochs': changed({ windows: WINDOWS, epochs: 2 }),
  'soft windows at 5e-5': changed({ windows: WINDOWS, learningRate: 5e-5 }),
  'soft windows at 2e-4': changed({ windows: WINDOWS, learningRate: 2e-4 }),
  'windows and neighbours': changed({ neighbours: 4, windows: WINDOWS }, { loss: bestWindowLoss }),
  neighbours: changed({ neighbours: 4 }),
  'symmetric loss': changed({}, { loss: fe.symmetricRankingLoss }),
  'learning rate 5e-5': changed({ learningRate: 5e-5 }),
  'learning rate 2e-4': changed({ learningRate: 2e-4 }),
  '2 epochs': changed({ epochs: 2 }),
  '8 chunks a batch': changed({ batchSize: 8 }),
  'dropout 0.1': changed({ dropout: 0.1 }),
  '32 chunks a batch': changed({ batchSize: 32 }, { tokensPerMiniBatch: 8192 }),
};
