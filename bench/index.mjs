// A large index: build, memory, time of a search and what its clusters miss, on vectors of a known structure; and growing
// numbers of short chunks embedded into one.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import random from 'finetune-embedding/dist/common/random.js';
import search from 'finetune-embedding/search';
import { sampleSentences } from './data.mjs';
import { printTable, round } from './table.mjs';

const FOLDER = path.resolve('.cache/bench/index');
const DIMENSIONS = 384;
const WINDOWS = 8;
const WINDOWS_PER_TOPIC = 200;
/** Of whose first window a question is made. */
const DOCUMENTS_AT_A_TIME = 2500;

const seconds = (start) => (performance.now() - start) / 1000;
const peakGB = () => Number(fs.readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+)/)[1]) / 1e6;
const remove = () => fs.rmSync(FOLDER, { recursive: true, force: true });

export async function measureIndex(args) {
  const short = args.includes('--short');
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : undefined;
  remove();
  const chunks = only === 'vectors' ? undefined : await measureChunks(short ? [100, 1000] : [1000, 10_000, 100_000]);
  const vectors = only === 'chunks' ? undefined : await measureVectors(short ? 120_000 : 1_000_000);
  remove();
  return { chunks, vectors };
}

/** Memory is the process's peak so far: level where a row shows no more than the one before. */
async function measureChunks(sizes) {
  const folder = path.resolve('.cache/bench/onnx-model');
  // In a process of its own, as TensorFlow's memory must not count.
  const saving = `const fe = require('finetune-embedding');
    fe.resolveModel('all-MiniLM-L6-v2').then(fe.loadModel).then((model) => fe.saveModel(model, ${JSON.stringify(folder)}));`;
  execFileSync(process.execPath, ['-e', saving], { stdio: ['ignore', 'ignore', 'inherit'] });
  const model = await search.loadSearchModel(folder, { dtype: 'int8' });
  const rows = [];
  for (const chunks of sizes) {
    const start = performance.now();
    const index = await search.LanceIndex.open(FOLDER);
    await search.embedCorpus(model, madeChunks(chunks), index);
    await index.optimize();
    const took = seconds(start);
    rows.push({ chunks, seconds: round(took), perSecond: round(chunks / took), peakGB: round(peakGB()) });
    console.log(`${chunks} chunks embedded in ${round(took)} s`);
    remove();
  }
  console.log('chunks of two sentences from the sample corpus, by all-MiniLM-L6-v2 in 8 bits');
  printTable(Object.keys(rows[0]), rows.map(Object.values));
  return rows;
}

/** Two sentences each, as the embedding asks for them. */
function* madeChunks(count) {
  const sentences = sampleSentences();
  const next = random.seededRandom(0);
  const one = () => sentences[Math.floor(next() * sentences.length)];
  for (let i = 0; i < count; i++) yield [`chunk ${i}`, `${one()} ${one()}`];
}

/** Adds vectors, builds the index and asks it. */
async function measureVectors(count) {
  const index = await search.LanceIndex.open(FOLDER);
  const make = documentMaker(count);
  const questions = [];
  let adding = 0;
  for (let done = 0; done < count / WINDOWS; done += DOCUMENTS_AT_A_TIME) {
    const documents = Array.from({ length: DOCUMENTS_AT_A_TIME }, (_, i) => [`${done + i}`, '']);
    const { embeddings, question } = make(documents.length);
    questions.push({ data: question, rows: 1, columns: DIMENSIONS });
    const start = performance.now();
    await index.add(documents, embeddings);
    adding += seconds(start);
  }
  const start = performance.now();
  await index.optimize();
  const [buildSeconds, buildPeakGB] = [seconds(start), peakGB()].map(round);
  const exact = await ask(index, questions, true);
  const rows = [await ask(index, questions, false, exact.found), exact].map(({ found, ...row }) => row);
  console.log(`${count} vectors: added in ${round(adding)} s; built in ${buildSeconds} s, peak ${buildPeakGB} GB`);
  printTable(Object.keys(rows[0]), rows.map(Object.values));
  return {
    vectors: count,
    addSeconds: round(adding),
    buildSeconds,
    buildPeakGB,
    searches: rows,
    peakGB: round(peakGB()),
  };
}

/** Milliseconds a question, and the share of the first five documents that `expected` has, too. */
async function ask(index, questions, exact, expected) {
  const found = [];
  const times = [];
  for (const question of questions) {
    const start = performance.now();
    found.push((await index.search(question, 5, exact)).map(({ id }) => id));
    times.push(seconds(start) * 1000);
  }
  times.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((share) => round(times[Math.floor(share * (times.length - 1))]));
  const same = found.flatMap((ids, i) => ids.filter((id) => (expected ?? found)[i].includes(id)));
  return { search: exact ? 'exact' : 'clusters', p50, p99, recallAt5: round(same.length / found.length / 5), found };
}

/**
 * Vectors as windows of an annual report have them by all-MiniLM-L6-v2: their variance falls from axis to axis so that
 * some 40 carry it; a document's windows, of one of its two topics each, have cosines of 0.7 or 0.2 (there 0.18 to 0.80,
 * median 0.48), a question has 0.73 to a window (there the median of a question's best). Clusters are thus there to be
 * found; a corpus without topics would lose more to them.
 */
function documentMaker(count) {
  const next = random.seededRandom(0);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()); // Box & Muller 1958
  const deviations = Float32Array.from({ length: DIMENSIONS }, (_, axis) => (axis + 1) ** -0.42);
  const scaled = (vector) => {
    let squares = 0;
    for (const value of vector) squares += value * value;
    for (let i = 0; i < DIMENSIONS; i++) vector[i] /= Math.sqrt(squares);
    return vector;
  };
  const direction = () => scaled(deviations.map((deviation) => deviation * normal()));
  /** Of directions, by their shares of the squared length. */
  const mixed = (...parts) => {
    const sum = new Float32Array(DIMENSIONS);
    for (const [share, vector] of parts) for (let i = 0; i < DIMENSIONS; i++) sum[i] += Math.sqrt(share) * vector[i];
    return scaled(sum);
  };
  const topics = Array.from({ length: count / WINDOWS_PER_TOPIC }, direction);
  return (documents) => {
    const rows = documents * WINDOWS;
    const data = new Float32Array(rows * DIMENSIONS);
    const owners = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / WINDOWS));
    for (let row = 0, own, two; row < rows; row++) {
      if (row % WINDOWS === 0) [own, two] = [direction(), [0, 1].map(() => topics[Math.floor(next() * topics.length)])];
      data.set(mixed([0.5, two[row % 2]], [0.2, own], [0.3, direction()]), row * DIMENSIONS);
    }
    const question = mixed([0.73 ** 2, data.subarray(0, DIMENSIONS)], [1 - 0.73 ** 2, direction()]);
    return { question, embeddings: { vectors: { data, rows, columns: DIMENSIONS }, owners } };
  };
}
