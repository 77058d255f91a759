// This project's side of a measurement. In, a line each: settings { model, maxSeqLength, and to train: pairs, batchSize, epochs,
// eachPair, dropout }, then { do: "step" | "encode" | "memory" }. Out, a line each: what was measured.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import modelStage from 'finetune-embedding/dist/model/index.js';
import trainStage from 'finetune-embedding/dist/train/index.js';

const { loadModel, tf } = modelStage;
const { RECIPES, train } = trainStage;
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const answer = (content) => fs.writeSync(1, `${JSON.stringify(content)}\n`);

async function nextQuestion() {
  const { value, done } = await lines.next();
  if (done) process.exit(0);
  return JSON.parse(value);
}

function memory() {
  const { numTensors, numBytes } = tf.memory();
  const rss = process.memoryUsage().rss;
  return { numTensors, numBytes, rss, peak: process.resourceUsage().maxRSS * 1024 };
}

/** Pairs as training data; `eachPair`: a chunk that two pairs share has two ids, and so is encoded twice. */
function trainingData({ pairs, eachPair }) {
  const chunks = pairs.map(([, chunk]) => chunk);
  const idOf = (i) => (eachPair ? i : chunks.indexOf(chunks[i]));
  return {
    queries: Object.fromEntries(pairs.map(([question], i) => [`q${i}`, question])),
    corpus: Object.fromEntries(chunks.map((chunk, i) => [`c${idOf(i)}`, chunk])),
    relevantDocs: Object.fromEntries(chunks.map((_, i) => [`q${i}`, [`c${idOf(i)}`]])),
  };
}

/** Trains; the evaluation after each step is the gate at which the next step waits to be asked for. */
async function trainStepByStep(model, settings) {
  const outputDir = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  process.on('exit', () => fs.rmSync(outputDir, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
  let last;
  await train(model, {
    data: trainingData(settings),
    recipe: { ...RECIPES.original, batchSize: settings.batchSize, epochs: settings.epochs, dropout: settings.dropout },
    outputDir,
    seed: 1,
    evaluationSteps: 1,
    onStep: ({ milliseconds, loss }) => {
      last = { milliseconds, loss };
    },
    evaluate: async () => {
      if (last) answer(last);
      while ((await nextQuestion()).do !== 'step') answer(memory());
      return 0;
    },
  });
}

const settings = await nextQuestion();
const model = await loadModel(settings.model, { maxSeqLength: settings.maxSeqLength });
answer({});
if (settings.pairs) await trainStepByStep(model, settings);
for (;;) {
  const question = await nextQuestion();
  if (question.do === 'encode') {
    const started = performance.now();
    const { data } = await model.embedQueries(question.texts);
    answer({ milliseconds: performance.now() - started, first: [...data.subarray(0, 8)] });
  } else answer(memory());
}
