// The recipes that `npm run bench -- recipe` compares: RECIPE=best, and what it would be with one thing changed.
import fe from 'finetune-embedding';

const { original, best } = fe.RECIPES;
const WINDOWS = { size: 126, stride: 100 };

/** RECIPE=best with some of its settings changed, and further options of the training loop. */
const changed = (settings, options = {}) => ({ train: () => ({ recipe: { ...best, ...settings }, ...options }) });

const { tf } = fe;

/** The ranking loss with a chunk scored by all its windows, log-mean-exp, in place of the best one. */
function softWindowsLoss(questions, windows, { targets, columns, vectorColumns }) {
  return tf.tidy(() => {
    const isOf = tf.oneHot(tf.tensor1d(vectorColumns, 'int32'), columns); // [windows, columns]
    const powers = tf.exp(tf.mul(fe.cosineSimilarities(questions, windows), fe.DEFAULT_SCALE)); // [questions, windows]
    const scores = tf.log(tf.div(tf.matMul(powers, isOf), tf.sum(isOf, 0))); // [questions, columns]
    const isTarget = tf.oneHot(tf.tensor1d(targets, 'int32'), columns);
    return tf.div(tf.sum(tf.mul(tf.logSoftmax(scores), isTarget)), -targets.length);
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
  'windows in the loss': { ...changed({ windows: WINDOWS }), halfBase: true },
  'soft windows in the loss': changed({ windows: WINDOWS }, { loss: softWindowsLoss }),
  'windows and neighbours': changed({ neighbours: 4, windows: WINDOWS }),
  neighbours: changed({ neighbours: 4 }),
  'windows for 2 epochs': changed({ epochs: 2, windows: WINDOWS }),
  'symmetric loss': changed({}, { loss: fe.symmetricRankingLoss }),
  'learning rate 5e-5': changed({ learningRate: 5e-5 }),
  'learning rate 2e-4': changed({ learningRate: 2e-4 }),
  '2 epochs': changed({ epochs: 2 }),
  '8 chunks a batch': changed({ batchSize: 8 }),
  'dropout 0.1': changed({ dropout: 0.1 }),
  '32 chunks a batch': changed({ batchSize: 32 }, { tokensPerMiniBatch: 8192 }),
};
