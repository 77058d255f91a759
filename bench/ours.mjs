// This project's side of a measurement. In, a line each: settings { model, maxSeqLength, pairs?, batchSize?, encode?, dropout? }, then
// { do: "step" | "encode" | "memory" }. Out, a line each: what was measured.
import fs from 'node:fs';
import readline from 'node:readline';
import lib from 'finetune-embedding';
import adamw from 'finetune-embedding/dist/train/adamw.js';

const { loadModel, lossAndGradients, makeBatches, tf } = lib;
const LEARNING_RATE = 2e-5;

/** Pairs in file order; `eachPair`: a chunk that two pairs share is encoded twice. */
function tokenizedBatches(model, { pairs, batchSize, eachPair }) {
  const chunks = [...new Set(pairs.map(([, chunk]) => chunk))];
  const data = {
    queries: Object.fromEntries(pairs.map(([question], i) => [`q${i}`, question])),
    corpus: Object.fromEntries(chunks.map((chunk, i) => [`c${i}`, chunk])),
    relevantDocs: Object.fromEntries(pairs.map(([, chunk], i) => [`q${i}`, [`c${chunks.indexOf(chunk)}`]])),
  };
  return makeBatches(data, 'file-order', batchSize, 0, 0).map((distinct) => {
    const repeated = Array.from(distinct.columnChunks, (i) => distinct.chunkIds[i]);
    const batch = eachPair
      ? { ...distinct, chunkIds: repeated, columnChunks: Int32Array.from(repeated.keys()) }
      : distinct;
    return {
      batch,
      questions: batch.queryIds.map((id) => model.tokenize(data.queries[id])),
      chunks: batch.chunkIds.map((id) => model.tokenize(data.corpus[id])),
    };
  });
}

function trainer(model, settings) {
  const batches = tokenizedBatches(model, settings);
  const optimizer = new adamw.AdamW();
  let step = 0;
  return () => {
    const batch = batches[step % batches.length];
    const dropout = settings.dropout ? { rate: settings.dropout, seed: step } : undefined;
    const started = performance.now();
    const { loss, gradients } = lossAndGradients(model, batch, dropout);
    optimizer.step(model.weights, gradients, LEARNING_RATE * adamw.linearSchedule(step++, 13, 1000));
    return { milliseconds: performance.now() - started, loss };
  };
}

function memory() {
  const { numTensors, numBytes } = tf.memory();
  const rss = process.memoryUsage().rss;
  return { numTensors, numBytes, rss, peak: process.resourceUsage().maxRSS * 1024 };
}

let model;
let takeStep;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer = {};
  if (!model) {
    model = await loadModel(question.model, { maxSeqLength: question.maxSeqLength });
    if (question.pairs) takeStep = trainer(model, question);
  } else if (question.do === 'step') answer = takeStep();
  else if (question.do === 'encode') {
    const started = performance.now();
    const { data } = await model.embedQueries(question.texts);
    answer = { milliseconds: performance.now() - started, first: [...data.subarray(0, 8)] };
  } else answer = memory();
  fs.writeSync(1, `${JSON.stringify(answer)}\n`);
}
