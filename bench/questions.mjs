// What generated questions are worth: a model trained on them alone, asked real ones. Offline: about the same document,
// which it was never trained on by them. With --model: about the sample's test report, trained on its training reports,
// by questions of that model and by offline ones. The last weights are measured: nothing is chosen on what is reported.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import fe from 'finetune-embedding';
import { splitSentences } from 'finetune-embedding/dist/common/text/sentences.js';
import { printTable, round } from './table.mjs';

const LYFT = { pdf: '../shared/data/lyft_2021.pdf', dataset: '../shared/data/lyft_train_dataset.json' };
const WINDOWS = fe.DEFAULT_SEARCH.windows;

/** What to train on: offline questions, or sentences as they stand (the inverse cloze task, Lee et al. 2019). */
const KINDS = {
  questions: async (chunks, questionsPerChunk, base) =>
    (await asked('Offline questions', fe.createOfflineGenerator(), chunks, questionsPerChunk, base, 0)).questions,
  statements: (chunks, count) => new Map(chunks.map(({ id, text }) => [id, spread(sentences(text), count)])),
};

/** Questions that the gate let through, with their account. */
async function asked(title, generator, chunks, questionsPerChunk, base, roundTripTop) {
  const gate = fe.createQuestionGate(base, chunks, { roundTripTop });
  const result = await fe.askWithProgress(title, generator, chunks, { questionsPerChunk, corpus: 'bench' }, gate);
  fe.showAccount(chunks, result);
  return result;
}
const sentences = (text) => splitSentences(text).filter((sentence) => sentence.split(/\s+/).length >= 8);
/** `count` of a list's items, evenly spread. */
const spread = (list, count) =>
  list.filter((_, i) => i === 0 || Math.floor((i * count) / list.length) > Math.floor(((i - 1) * count) / list.length));

/** Documents to ask about offline, and the real questions to measure with. */
async function task() {
  if (fs.existsSync(LYFT.pdf)) {
    return { name: 'Lyft 10-K', pdf: LYFT.pdf, data: await fe.readDataset(LYFT.dataset) };
  }
  const pdf = 'data/quillon_2024.pdf';
  const golden = await fe.readGoldenQuestionsBeside(['data/quillon_2024.pdf']);
  return {
    name: 'sample corpus',
    pdf,
    data: fe.buildGoldenDataset(await fe.chunkPages((await fe.readDocuments([pdf])).pages), golden).dataset,
  };
}

async function measure(model, data) {
  const scores = {};
  for (const [way, embedder] of [
    ['oneVector', model],
    ['windows', fe.windowedEmbedder(model, WINDOWS)],
  ]) {
    const { hitRate, metrics } = await fe.evaluateEmbedder(embedder, data);
    scores[way] = { hitRate: round(hitRate), map: round(metrics['MAP@100']) };
  }
  return scores;
}

/** Trains a fresh model on questions and measures it. */
async function trainOn(training, data, { recipe, seed }) {
  const model = await fe.loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
  const outputDir = fs.mkdtempSync(path.join(os.tmpdir(), 'questions-'));
  const started = performance.now();
  try {
    const onStep = ({ step, totalSteps, loss }) => {
      if (step % 10 === 0) console.log(`step ${step} of ${totalSteps}, loss ${loss.toFixed(3)}`);
    };
    await fe.train(model, { data: training, recipe, outputDir, seed, evaluationSteps: 1000, onStep });
  } finally {
    fs.rmSync(outputDir, { recursive: true, force: true });
  }
  const seconds = round((performance.now() - started) / 1000);
  const trained = await measure(model, data);
  model.dispose();
  return { questions: Object.keys(training.queries).length, seconds, ...trained };
}

/** Questions by a language model beside offline ones, on reports of other companies than those asked about. */
async function withModel(name, settings) {
  const pages = async (file) => (await fe.readDocuments([`data/${file}_2024.pdf`])).pages;
  const chunks = await fe.chunkPages([...(await pages('larkmoor')), ...(await pages('selhavin'))]);
  const golden = await fe.readGoldenQuestionsBeside(['data/pellgarth_2024.pdf']);
  const { dataset: test } = fe.buildGoldenDataset(await fe.chunkPages(await pages('pellgarth')), golden);
  const base = await fe.loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
  const { generator, reason } = fe.chooseGenerator('openai', process.env, {
    model: name,
    cacheDir: 'data/.questions-cache',
    timeoutSeconds: Number(process.env.LLM_TIMEOUT || 180),
    concurrency: Number(process.env.LLM_CONCURRENCY || 4),
  });
  console.log(reason);
  const count = settings.questions ?? 2;
  const byModel = await asked(`Questions by ${name}`, generator, chunks, count, base, 10);
  const rows = { base: { questions: 0, seconds: 0, ...(await measure(base, test)) } };
  const training = fe.buildDataset(chunks, byModel.questions, byModel.styles);
  rows[name] = await trainOn(training, test, settings);
  rows.offline = await trainOn(fe.buildDataset(chunks, await KINDS.questions(chunks, 8, base)), test, settings);
  printTable(
    ['trained on', 'questions', 'hit rate@5', 'MAP@100', 'windows: hit rate@5', 'MAP@100', 'training, s'],
    Object.entries(rows).map(([title, row]) => [title, row.questions, ...scoresOf(row), row.seconds]),
  );
  return { task: 'sample corpus, test report', model: name, dropped: byModel.summary.dropped, rows };
}

const scoresOf = ({ oneVector, windows }) => [oneVector.hitRate, oneVector.map, windows.hitRate, windows.map];

export async function measureQuestions(args) {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      questions: { type: 'string' },
      kinds: { type: 'string', default: 'questions' },
      model: { type: 'string' },
      epochs: { type: 'string' },
      seed: { type: 'string', default: '42' },
      base: { type: 'boolean', default: true },
    },
  });
  if (!Object.hasOwn(KINDS, values.kinds))
    throw new Error(`--kinds is ${values.kinds}; it must be one of ${Object.keys(KINDS).join(', ')}.`);
  const recipe = { ...fe.RECIPES.best, ...(values.epochs && { epochs: Number(values.epochs) }) };
  const settings = { recipe, seed: Number(values.seed), questions: values.questions && Number(values.questions) };
  if (values.model) return withModel(values.model, settings);
  const { name, pdf, data } = await task();
  const { pages } = await fe.readDocuments([pdf]);
  const chunks = await fe.chunkPages(pages);
  const untrained = await fe.loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
  const training = fe.buildDataset(chunks, await KINDS[values.kinds](chunks, settings.questions ?? 8, untrained));
  const questions = Object.keys(training.queries).length;
  console.log(
    `${name}: ${chunks.length} chunks, ${questions} ${values.kinds} to train on; ${Object.keys(data.queries).length} real ones`,
  );

  const base = values.base ? await measure(untrained, data) : undefined;
  const { seconds, ...trained } = await trainOn(training, data, settings);
  const row = (title, scores) => [title, ...scoresOf(scores)];
  printTable(
    ['', 'hit rate@5', 'MAP@100', 'windows: hit rate@5', 'MAP@100'],
    [...(base ? [row('base', base)] : []), row('trained', trained)],
  );
  return { task: name, kinds: values.kinds, epochs: recipe.epochs, trainingSeconds: seconds, base, ...trained };
}
