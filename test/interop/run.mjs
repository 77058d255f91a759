// npm run interop: RECIPE=original without dropout, by this project and by sentence-transformers on PyTorch, from the same model and
// pairs. Losses are compared step by step, the trained models by their metrics, and our saved model by its embeddings in
// sentence-transformers, with and without prompts, by its word pieces in raw tokenizers, and by its scores of words against words in
// MultiVectorEncoder; and the first losses of both recipes with scale:train's. Exit code 0 if all agree. Out on the terminal only; models go
// to .cache/interop-run.
//
// Then what npm run export writes, in llama.cpp, in sentence-transformers' trainer and in BEIR (see exports.mjs).
//
//   --short: ten steps   --exports: the exports alone   --setup: only makes the Python environment (see scripts/scale/venv.mjs)
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import lib from 'finetune-embedding';
import matrix from 'finetune-embedding/dist/common/matrix.js';
import scoring from 'finetune-embedding/dist/evaluate/vector-scores.js';
import extras from 'finetune-embedding/extras';
import { PYTHON, setUp } from '../../scripts/scale/venv.mjs';
import { checkExports } from './exports.mjs';
import { pairsOf, scaleChecks } from './scale.mjs';

const { evaluateEmbedder, loadModel, RECIPES, saveModel, train } = lib;

const MAX_SEQ_LENGTH = 512;
const SHORT_STEPS = 10;
/** Rounding grows over the steps of a run, each of which starts where the one before ended. */
const LOSS_TOLERANCE = 0.002;
const METRIC_TOLERANCE = 0.003;
const EMBEDDING_TOLERANCE = 1e-5;
const PROMPTED_TOLERANCE = 1e-6;
const WORD_SCORE_TOLERANCE = 1e-4;

const LYFT = path.resolve('../shared/data/lyft_train_dataset.json');
const OWN = path.resolve('test/fixtures/engine/pairs.json');

/** The original's training set where it is, else the examples of the tests. */
function readData() {
  if (fs.existsSync(LYFT)) {
    const { queries, corpus, relevant_docs: relevantDocs } = JSON.parse(fs.readFileSync(LYFT, 'utf8'));
    return { queries, corpus, relevantDocs };
  }
  console.log(`${LYFT} is not here: the 50 pairs of the tests stand in for it.`);
  const { chunks, pairs } = JSON.parse(fs.readFileSync(OWN, 'utf8'));
  return {
    queries: Object.fromEntries(pairs.map(([question], i) => [`q${i}`, question])),
    corpus: Object.fromEntries(chunks.map((chunk, i) => [`c${i}`, chunk])),
    relevantDocs: Object.fromEntries(pairs.map(([, chunk], i) => [`q${i}`, [`c${chunk}`]])),
  };
}

/** The first `count` pairs, with their chunks alone. */
function firstPairs({ queries, corpus, relevantDocs }, count) {
  const ids = Object.keys(queries).slice(0, count);
  const chunkIds = new Set(ids.flatMap((id) => relevantDocs[id]));
  return {
    queries: Object.fromEntries(ids.map((id) => [id, queries[id]])),
    corpus: Object.fromEntries([...chunkIds].map((id) => [id, corpus[id]])),
    relevantDocs: Object.fromEntries(ids.map((id) => [id, relevantDocs[id]])),
  };
}

/** The vectors of texts' words, as exact as they are computed: neither merged nor in 8 bits. */
async function wordVectors(model, texts) {
  const words = await model.embedWords(texts.map((text) => model.tokenizer.encode(text, MAX_SEQ_LENGTH)));
  const owners = Int32Array.from(words.flatMap(({ rows }, owner) => Array(rows).fill(owner)));
  return { vectors: matrix.stacked(words, Float32Array), owners };
}

/** The small models of other architectures, saved anew, and what sentence-transformers embedded with the originals. */
async function savedKin(folder) {
  const kin = [];
  for (const kind of ['roberta', 'xlm-roberta', 'distilbert', 'mpnet', 'modernbert']) {
    const original = path.resolve(`test/fixtures/tiny-${kind}`);
    const { embedded, embeddings } = JSON.parse(fs.readFileSync(path.join(original, 'reference.json'), 'utf8'));
    const model = await loadModel(original);
    await saveModel(model, path.join(folder, kind));
    model.dispose();
    kin.push({ folder: path.join(folder, kind), texts: embedded, embeddings });
  }
  return kin;
}

/** The model saved with e5's prompts, and the vectors of questions, then of texts: `encode_query` and `encode_document`. */
async function withPrompts(base, folder, questions, texts) {
  const model = await loadModel(base, {
    maxSeqLength: MAX_SEQ_LENGTH,
    prompts: { query: 'query: ', document: 'passage: ' },
  });
  await saveModel(model, folder);
  const { vectors } = await model.embedDocuments(texts);
  const both = [...(await model.embedQueries(questions)).data, ...vectors.data];
  model.dispose();
  return both;
}

/** NaN where one of the values is. */
const largest = (values) => values.reduce((a, b) => Math.max(a, b), 0);

async function main() {
  await setUp();
  if (process.argv.includes('--setup')) return true;
  const isShort = process.argv.includes('--short');
  const recipe = { ...RECIPES.original, dropout: 0, ...(isShort ? { epochs: 1 } : {}) };
  const allData = readData();
  const data = isShort ? firstPairs(allData, SHORT_STEPS * recipe.batchSize) : allData;
  const folder = path.resolve('.cache/interop-run');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });

  const model = await loadModel('all-MiniLM-L6-v2', { maxSeqLength: MAX_SEQ_LENGTH });
  if (process.argv.includes('--exports')) return agree(await checkExports(model, model.folder, data, folder));
  console.log('Training here …');
  const base = model.folder;
  const ours = path.join(folder, 'ours');
  const { steps } = await train(model, { data, recipe, outputDir: ours, seed: 1, evaluationSteps: 1_000_000 });
  const chunks = Object.values(data.corpus).slice(0, 20);
  const texts = [...chunks, chunks.join(' '), 'short', '']; // one far longer than the model reads
  const ids = texts.map((text) => model.tokenizer.encode(text, MAX_SEQ_LENGTH).join());
  const vectors = (await model.embedQueries(texts)).data;
  const own = await evaluateEmbedder(model, data);
  const words = path.join(folder, 'words');
  await extras.saveMultiVectorModel(model, words);
  const prompted = path.join(folder, 'prompted');
  const questions = Object.values(data.queries).slice(0, 20);
  const promptedVectors = await withPrompts(ours, prompted, questions, texts);
  const { vectors: asked, owners } = await wordVectors(model, questions);
  const worded = texts.filter(Boolean); // an empty text has no words
  const found = await wordVectors(model, worded);
  const scores = scoring.vectorScores({ ...asked, owners }, found, worded.length);

  const kin = await savedKin(folder);

  console.log(
    `Training in sentence-transformers …\n${'step'.padStart(4)}${'ours'.padStart(10)}${'theirs'.padStart(10)}`,
  );
  const input = path.join(folder, 'input.json');
  const { batchSize, epochs } = recipe;
  fs.writeFileSync(
    input,
    JSON.stringify({
      ...data,
      base,
      ours,
      words,
      kin,
      prompted,
      questions,
      batchSize,
      epochs,
      maxSeqLength: MAX_SEQ_LENGTH,
      texts,
    }),
  );
  const peer = spawn(PYTHON, ['test/interop/peer.py', input], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error', TQDM_DISABLE: '1' },
  });
  const ended = new Promise((resolve) => peer.on('close', resolve));
  const theirs = [];
  let result;
  for await (const line of readline.createInterface({ input: peer.stdout })) {
    const message = line.startsWith('{') ? JSON.parse(line) : {};
    if (message.metrics) result = message;
    if (message.step === undefined) continue;
    theirs.push(message.loss);
    const { step, loss } = steps[message.step - 1];
    if (step <= 10 || step % 10 === 0) {
      console.log(String(step).padStart(4) + loss.toFixed(5).padStart(10) + message.loss.toFixed(5).padStart(10));
    }
  }
  if ((await ended) !== 0 || !result) throw new Error('The Python side failed; its message is above.');
  const exported = await checkExports(model, ours, data, folder);
  model.dispose();
  const scaleData = { original: firstPairs(allData, pairsOf.original), best: firstPairs(allData, pairsOf.best) };
  const further = [...exported, ...(await scaleChecks(scaleData, MAX_SEQ_LENGTH, folder))];
  return report(steps, theirs, own.metrics, result, { vectors, promptedVectors, ids, scores, kin }, further);
}

/** Prints every comparison with its tolerance; true if all hold. */
function report(steps, theirs, ownMetrics, result, { vectors, promptedVectors, ids, scores, kin }, furtherChecks) {
  const names = Object.keys(ownMetrics);
  const python = (which, name) => result.metrics[which][`cosine_${name.toLowerCase()}`];
  console.log(`\n${'metric'.padEnd(14)}${'ours'.padStart(10)}${'ours in ST'.padStart(12)}${'theirs'.padStart(10)}`);
  for (const name of names) {
    const cells = [ownMetrics[name], python('ours', name), python('theirs', name)].map((value) => value.toFixed(4));
    console.log(name.padEnd(14) + cells[0].padStart(10) + cells[1].padStart(12) + cells[2].padStart(10));
  }
  const theirVectors = result.vectors.flat();
  const scale = largest(theirVectors.map(Math.abs));
  const checks = [
    ['steps', Math.abs(steps.length - theirs.length), 0],
    ['losses, step by step', largest(theirs.map((loss, i) => Math.abs(loss - steps[i].loss))), LOSS_TOLERANCE],
    [
      'metrics of the trained models',
      largest(names.map((name) => Math.abs(python('ours', name) - python('theirs', name)))),
      METRIC_TOLERANCE,
    ],
    [
      'metrics of our model, here and in sentence-transformers',
      largest(names.map((name) => Math.abs(ownMetrics[name] - python('ours', name)))),
      METRIC_TOLERANCE,
    ],
    [
      'embeddings of other architectures saved here, in sentence-transformers',
      largest(kin.flatMap((own, i) => result.kin[i].flat().map((value, at) => Math.abs(value - own.embeddings[at])))),
      EMBEDDING_TOLERANCE,
    ],
    [
      'embeddings of our saved model in sentence-transformers (relative)',
      largest(theirVectors.map((value, i) => Math.abs(value - vectors[i]))) / scale,
      EMBEDDING_TOLERANCE,
    ],
    [
      'embeddings of our saved model by encode_query and encode_document, with prompts',
      largest(result.prompted.flat().map((value, i) => Math.abs(value - promptedVectors[i]))),
      PROMPTED_TOLERANCE,
    ],
    [
      'texts whose word pieces are others by tokenizer.json alone',
      result.ids.filter((theirIds, i) => theirIds.join() !== ids[i]).length,
      0,
    ],
    [
      'scores by words of our saved model in MultiVectorEncoder',
      largest(result.scores.flatMap((row, i) => row.map((score, j) => Math.abs(score - scores[i][j])))),
      WORD_SCORE_TOLERANCE,
    ],
    ...furtherChecks,
  ];
  return agree(checks);
}

/** Prints each difference with the largest allowed; true if all are within. */
function agree(checks) {
  console.log('\nlargest differences');
  for (const [name, difference, tolerance] of checks) {
    const verdict = difference <= tolerance ? 'ok' : 'DIFFERENT';
    console.log(`  ${name}: ${difference.toExponential(1)} (at most ${tolerance}) ${verdict}`);
  }
  return checks.every(([, difference, tolerance]) => difference <= tolerance);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
