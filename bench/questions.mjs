// What the offline generator's questions are worth: a model trained on them alone, asked real questions about the same
// document, which it was never trained on. The last weights are measured: nothing is chosen on the questions that are reported.
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
  questions: async (chunks, questionsPerChunk) =>
    fe.filterQuestions(await fe.createOfflineGenerator().generate(chunks, { questionsPerChunk })).result.questions,
  statements: (chunks, count) => new Map(chunks.map(({ id, text }) => [id, spread(sentences(text), count)])),
};
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
    data: fe.buildGoldenDataset(await fe.chunkPages(await fe.readPages(pdf)), golden).dataset,
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

export async function measureQuestions(args) {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      questions: { type: 'string', default: '8' },
      kinds: { type: 'string', default: 'questions' },
      epochs: { type: 'string' },
      seed: { type: 'string', default: '42' },
      base: { type: 'boolean', default: true },
    },
  });
  if (!Object.hasOwn(KINDS, values.kinds))
    throw new Error(`--kinds is ${values.kinds}; it must be one of ${Object.keys(KINDS).join(', ')}.`);
  const recipe = { ...fe.RECIPES.best, ...(values.epochs && { epochs: Number(values.epochs) }) };
  const { name, pdf, data } = await task();
  const chunks = await fe.chunkPages(await fe.readPages(pdf));
  const training = fe.buildDataset(chunks, await KINDS[values.kinds](chunks, Number(values.questions)));
  const questions = Object.keys(training.queries).length;
  console.log(
    `${name}: ${chunks.length} chunks, ${questions} ${values.kinds} to train on; ${Object.keys(data.queries).length} real ones`,
  );

  const model = await fe.loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
  const base = values.base ? await measure(model, data) : undefined;
  const outputDir = fs.mkdtempSync(path.join(os.tmpdir(), 'questions-'));
  const started = performance.now();
  try {
    const onStep = ({ step, totalSteps, loss }) => {
      if (step % 10 === 0) console.log(`step ${step} of ${totalSteps}, loss ${loss.toFixed(3)}`);
    };
    await fe.train(model, {
      data: training,
      recipe,
      outputDir,
      seed: Number(values.seed),
      evaluationSteps: 1000,
      onStep,
    });
  } finally {
    fs.rmSync(outputDir, { recursive: true, force: true });
  }
  const trainingSeconds = round((performance.now() - started) / 1000);
  const trained = await measure(model, data);
  const row = (title, { oneVector, windows }) => [
    title,
    oneVector.hitRate,
    oneVector.map,
    windows.hitRate,
    windows.map,
  ];
  printTable(
    ['', 'hit rate@5', 'MAP@100', 'windows: hit rate@5', 'MAP@100'],
    [...(base ? [row('base', base)] : []), row('trained', trained)],
  );
  return { task: name, kinds: values.kinds, questions, epochs: recipe.epochs, trainingSeconds, base, trained };
}
