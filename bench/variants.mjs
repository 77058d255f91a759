// The recipes that `npm run bench -- recipe` compares: RECIPE=best, and what it would be with one thing changed.
import fe from 'finetune-embedding';
import rankingLoss from 'finetune-embedding/dist/train/ranking-loss.js';
import extras from 'finetune-embedding/extras';

const { tf } = fe;
const { cosineSimilarities, DEFAULT_SCALE } = rankingLoss;
const { original, best } = fe.RECIPES;

/** What the other rows change one thing of: RECIPE=best in fewer, larger steps, as it was while the rows were measured. */
const FEWER_STEPS = { ...best, batchSize: 16, epochs: 3, learningRate: 1e-4 };
/** These with some settings changed, and further options of the training loop. */
const changed = (settings, options = {}) => ({ recipe: { ...FEWER_STEPS, ...settings }, options });

/** 1 where a window belongs to a column, else 0: [windows, columns] */
const isOf = ({ vectorColumns, columns }) => tf.oneHot(tf.tensor1d(vectorColumns, 'int32'), columns);

/** The ranking loss with a chunk scored by its best window alone, in place of all of them. */
function bestWindowLoss(questions, windows, batch) {
  const { targets, columns, vectorColumns } = batch;
  return tf.tidy(() => {
    const cosines = cosineSimilarities(questions, windows); // [questions, windows]
    const isBest = cosines.arraySync().map((row) => {
      const best = Array(columns).fill(-1);
      row.forEach((value, window) => {
        const column = vectorColumns[window];
        if (best[column] < 0 || value > row[best[column]]) best[column] = window;
      });
      return row.map((_, window) => (best[vectorColumns[window]] === window ? 1 : 0));
    });
    const scores = tf.mul(tf.matMul(tf.mul(cosines, tf.tensor2d(isBest)), isOf(batch)), DEFAULT_SCALE);
    const isTarget = tf.oneHot(tf.tensor1d(targets, 'int32'), columns);
    return tf.div(tf.sum(tf.mul(tf.logSoftmax(scores), isTarget)), -targets.length);
  });
}

/** The ranking loss with a chunk's one vector, the mean of its windows'. */
function meanOfWindowsLoss(questions, windows, { vectorColumns, ...batch }) {
  return tf.tidy(() => {
    const unit = tf.div(windows, tf.norm(windows, 'euclidean', 1, true));
    const means = tf.matMul(isOf({ vectorColumns, ...batch }), unit, true); // [columns, hidden]
    return fe.multipleNegativesRankingLoss(questions, means, batch);
  });
}

/** The loss by windows, and with it that of their mean, which so learns what the windows know. */
const windowsAndMeanLoss = (...batch) =>
  tf.tidy(() => tf.div(tf.add(fe.multipleNegativesRankingLoss(...batch), meanOfWindowsLoss(...batch)), 2));

const withLoss = (loss) => ({ variant: (method) => ({ ...method, loss }) });
const withScale = (scale) => withLoss((...batch) => fe.multipleNegativesRankingLoss(...batch, scale));

/** For each question, a chunk that the base model ranks high and that is not its own. */
async function hardNegatives(model, data) {
  const { rankings } = await fe.evaluateEmbedder(fe.windowedEmbedder(model, best.windows), data);
  const { dataset } = extras.mineHardNegatives(data, rankings, { perQuery: 1, relativeMargin: 0.05 });
  return { variant: extras.hardNegatives(dataset) };
}

/** Besides the questions there are, six that are asked offline about each chunk. */
async function offlineQuestionsToo(model, { queries, corpus, relevantDocs }) {
  const chunks = Object.entries(corpus).map(([id, text]) => ({ id, text }));
  const asked = await fe.createOfflineGenerator().generate(chunks, { questionsPerChunk: 6 });
  const { questions } = await fe.createQuestionGate(model, chunks)(asked);
  const more = fe.buildDataset(chunks, questions);
  return {
    data: {
      queries: { ...queries, ...more.queries },
      corpus,
      relevantDocs: { ...relevantDocs, ...more.relevantDocs },
    },
  };
}

/**
 * Names as they stand in the table, the most telling first. A variant without a recipe is not trained. `prepare` gives options that need model and data;
 * `halfBase` measures a second time with weights half-way back to the base, `averaged` measures the mean of the weights after each of the last third of all
 * steps.
 */
export const VARIANTS = {
  base: {},
  original: { recipe: original, options: {} },
  best: { recipe: best, options: {} },
  'fewer larger steps': { ...changed({}), halfBase: true },
  'one vector a chunk in the loss': changed({ windows: undefined }),
  'windows of 126 in the loss': changed({ windows: { size: 126, stride: 126 } }),
  'best window alone in the loss': changed({}, withLoss(bestWindowLoss)),
  'mean of windows in the loss': changed({}, withLoss(meanOfWindowsLoss)),
  'windows and their mean in the loss': changed({}, withLoss(windowsAndMeanLoss)),
  'half the learning rate': changed({ learningRate: FEWER_STEPS.learningRate / 2 }),
  'twice the learning rate': changed({ learningRate: FEWER_STEPS.learningRate * 2 }),
  'an epoch less': changed({ epochs: FEWER_STEPS.epochs - 1 }),
  'an epoch more': changed({ epochs: FEWER_STEPS.epochs + 1 }),
  '8 chunks a batch': changed({ batchSize: 8 }),
  '32 chunks a batch': changed({ batchSize: 32 }),
  'hard negatives': { ...changed({}), prepare: hardNegatives },
  'offline questions too': { ...changed({}), prepare: offlineQuestionsToo },
  '5 epochs of 12 chunks': changed({ epochs: 5, batchSize: 12 }),
  'symmetric loss': changed({}, { variant: extras.symmetricLoss() }),
  'temperature 0.1': changed({}, withScale(10)),
  'temperature 0.033': changed({}, withScale(30)),
  'dropout 0.1': changed({ dropout: 0.1 }),
  'averaged weights': { ...changed({}), averaged: true },
};
