// What each ingredient of a recipe brings: a run with it and a run without, on the same data, three times on different parts.
//
// In: the original workflow's dataset, real questions about Lyft's annual report. Each third of the report trains once, with a seed
// of its own. Out: how well the model then finds questions about the NEXT third, and about two companies of the sample corpus: by these,
// recipes are chosen (validation). With --confirm, the LAST third and the sample's test report are asked instead: once, after the choice.
// The last weights are measured. A finished run is kept on disk; started again, only missing ones are made.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import fe from 'finetune-embedding';
import { WORDS } from 'finetune-embedding/dist/model/bert/weight-names.js';
import extras from 'finetune-embedding/extras';
import { printTable, round } from './table.mjs';
import { VARIANTS } from './variants.mjs';

const RUNS = '.cache/bench/recipe.jsonl';
const WINDOWS = fe.DEFAULT_SEARCH.windows;
const SHORT = ['base', 'original', 'best'];
/** The row that the others are compared with. */
const REFERENCE = 'fewer larger steps';
const NO_DATA = `Name a folder that holds the original workflow's train_dataset.json: npm run bench -- recipe --data FOLDER
It is in the data folder of the repository run-llama/finetune-embedding on GitHub (real questions about Lyft's annual report of 2021).
With --confirm, its val_dataset.json is asked as well, where it lies beside it.`;
/** The row of a variant half-way back to the base. */
const halfBaseOf = (name) => `${name}, half base`;

/** Ways to search, each measured with every model. */
const WAYS = [
  'one vector',
  'mean of windows',
  'nearest window',
  'windows',
  'windows + BM25',
  'words',
  'words + windows',
  'words + windows + BM25',
];

const ofQueries = ({ queries, corpus, relevantDocs }, keep) => {
  const ids = Object.keys(queries).filter((id) => keep(relevantDocs[id][0]));
  const pick = (record) => Object.fromEntries(ids.map((id) => [id, record[id]]));
  const chunks = Object.entries(corpus).filter(([id]) => keep(id));
  return { queries: pick(queries), corpus: Object.fromEntries(chunks), relevantDocs: pick(relevantDocs) };
};

const merged = (a, b) => ({
  queries: { ...a.queries, ...b.queries },
  corpus: { ...a.corpus, ...b.corpus },
  relevantDocs: { ...a.relevantDocs, ...b.relevantDocs },
});

async function golden(company) {
  const questions = await fe.readGoldenQuestionsBeside([`data/${company}_2024.pdf`]);
  const { pages } = await fe.readDocuments([`data/${company}_2024.pdf`]);
  return fe.buildGoldenDataset(await fe.chunkPages(pages), questions).dataset;
}

/** For each fold, what is trained on and what is asked: to choose by, or, with `confirm`, what chose nothing. */
async function tasks(folder, confirm) {
  if (!folder || !fs.existsSync(path.join(folder, 'train_dataset.json'))) throw new Error(NO_DATA);
  const report = await fe.readDataset(path.join(folder, 'train_dataset.json'));
  const outside = path.join(folder, 'val_dataset.json');
  const others = confirm
    ? {
        'test report': await golden('pellgarth'),
        ...(fs.existsSync(outside) && { 'val_dataset.json': await fe.readDataset(outside) }),
      }
    : { 'other companies': merged(await golden('larkmoor'), await golden('quillon')) };
  const ids = Object.keys(report.corpus);
  const third = (k) => {
    const [from, to] = [k % 3, (k % 3) + 1].map((n) => Math.round((n * ids.length) / 3));
    const own = new Set(ids.slice(from, to));
    return ofQueries(report, (id) => own.has(id));
  };
  return [0, 1, 2].map((k) => ({
    train: third(k),
    tests: { [confirm ? 'same report, last third' : 'same report']: third(k + (confirm ? 2 : 1)), ...others },
  }));
}

/** An embedder that has embedded a dataset already. */
async function embedded(embedder, data) {
  const queries = await embedder.embedQueries(Object.values(data.queries));
  const documents = await embedder.embedDocuments(Object.values(data.corpus));
  return { name: embedder.name, embedQueries: async () => queries, embedDocuments: async () => documents };
}

async function measure(model, tests) {
  const measured = {};
  for (const [name, data] of Object.entries(tests)) {
    const windowed = await embedded(fe.windowedEmbedder(model, WINDOWS), data);
    const windows = await fe.evaluateEmbedder(windowed, data);
    const words = await fe.evaluateEmbedder(fe.wordEmbedder(model, WINDOWS), data);
    const both = [words.rankings, windows.rankings];
    // By windows too, and with one weight for all, so that rows differ by the model alone.
    const keywords = fe.rankByBm25(data, { windows: fe.BM25_WINDOWS, topK: Number.POSITIVE_INFINITY });
    const results = [
      await fe.evaluateEmbedder(model, data),
      await fe.evaluateEmbedder(extras.averagedEmbedder(windowed), data),
      await fe.evaluateEmbedder(windowed, data, { windowTemperature: 0 }),
      windows,
      fe.evaluateRanking(fe.linearFusion([windows.rankings], { bm25: keywords }), data),
      words,
      fe.evaluateRanking(fe.linearFusion(both), data),
      fe.evaluateRanking(fe.linearFusion(both, { bm25: keywords }), data),
    ];
    measured[name] = Object.fromEntries(
      results.map(({ hitRate, metrics }, i) => [WAYS[i], { hitRate: round(hitRate), map: round(metrics['MAP@100']) }]),
    );
  }
  return measured;
}

/** Adds up a model's weights whenever it is asked to, and puts their mean in the model's place. */
function weightAverage() {
  const sums = new Map();
  let count = 0;
  return {
    add(model) {
      count++;
      const words = fe.tf.tensor(model.words.data, model.words.shape);
      for (const [name, weight] of [...model.weights, [WORDS, words]]) {
        const before = sums.get(name);
        sums.set(name, fe.tf.add(before ?? 0, weight));
        before?.dispose();
      }
      words.dispose();
    },
    moveTo(model) {
      const { shape } = model.words;
      const words = fe.tf.div(sums.get(WORDS), count);
      model.words = { shape, data: words.dataSync(), rows: (ids) => fe.tf.gather(words, ids).dataSync() };
      sums.delete(WORDS);
      for (const [name, sum] of sums) {
        model.weights.get(name).dispose();
        model.weights.set(name, fe.tf.div(sum, count));
        sum.dispose();
      }
    },
  };
}

/** One run's measurements, by the name of their row: the variant's own, and those of mixtures with the base. */
async function run(name, { train, tests }, seed) {
  const { recipe, options, prepare, halfBase, averaged } = VARIANTS[name];
  const load = () => fe.loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
  const model = await load();
  const outputDir = fs.mkdtempSync(path.join(os.tmpdir(), 'recipe-'));
  try {
    if (!recipe) return { [name]: { seconds: 0, tests: await measure(model, tests) } };
    const started = performance.now();
    const average = averaged && weightAverage();
    let isLate = false;
    const result = await fe.train(model, {
      ...options,
      data: train,
      ...(await prepare?.(model, train)),
      recipe,
      outputDir,
      seed,
      evaluationSteps: averaged ? 1 : 100_000,
      ...(averaged && {
        onStep: ({ step, totalSteps }) => {
          isLate = step > (2 * totalSteps) / 3;
        },
        evaluate: async (current) => {
          if (isLate) average.add(current);
          return 0;
        },
      }),
    });
    if (averaged) average.moveTo(model);
    const seconds = round((performance.now() - started) / 1000);
    const loss = round(result.steps.slice(-5).reduce((sum, step) => sum + step.loss / 5, 0));
    const outcomes = { [name]: { seconds, loss, tests: await measure(model, tests) } };
    if (halfBase) {
      const base = await load();
      extras.interpolateWeights(model, base, 0.5);
      base.dispose();
      outcomes[halfBaseOf(name)] = { seconds, tests: await measure(model, tests) };
    }
    return outcomes;
  } finally {
    model.dispose();
    fs.rmSync(outputDir, { recursive: true, force: true });
  }
}

const readRuns = () =>
  fs.existsSync(RUNS)
    ? fs
        .readFileSync(RUNS, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) =>
  values.length < 2 ? 0 : Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (values.length - 1));

/** A row a variant: means over folds, and the spread of its difference from RECIPE=best on the same fold. */
function report(runs, names, tests) {
  const table = {};
  for (const test of tests) {
    const rows = names.map((name) => {
      const own = runs.filter((run) => run.variant === name);
      const cells = WAYS.map((way) => {
        const maps = own.map((run) => run.tests[test][way].map);
        const best = own.map(({ fold }) => runs.find((run) => run.variant === REFERENCE && run.fold === fold));
        const gains = best.every(Boolean) ? maps.map((map, i) => map - best[i].tests[test][way].map) : [];
        const cell = {
          hitRate: round(mean(own.map((run) => run.tests[test][way].hitRate))),
          map: round(mean(maps)),
          ...(gains.length > 0 && { gain: round(mean(gains)), spread: round(deviation(gains)) }),
        };
        table[name] = { ...table[name], [test]: { ...table[name]?.[test], [way]: cell } };
        const gain =
          cell.gain === undefined || name === REFERENCE
            ? ''
            : ` (${cell.gain > 0 ? '+' : ''}${cell.gain.toFixed(3)} ± ${cell.spread.toFixed(3)})`;
        return `${cell.hitRate.toFixed(3)} ${cell.map.toFixed(3)}${gain}`;
      });
      return [name, ...cells, round(mean(own.map((run) => run.seconds))).toFixed(0)];
    });
    console.log(`\n${test}: hit rate@5, MAP@100 (difference from ${REFERENCE}: mean ± standard deviation over folds)`);
    printTable(['', ...WAYS, 'training s'], rows);
  }
  return table;
}

export async function measureRecipe(args) {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      confirm: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      folds: { type: 'string' },
    },
  });
  const { confirm } = values;
  const folds = await tasks(values.data, confirm);
  const names = values.only?.split(',') ?? (values.short || confirm ? SHORT : Object.keys(VARIANTS));
  const unknown = names.find((name) => !Object.hasOwn(VARIANTS, name));
  if (unknown !== undefined) throw new Error(`No variant "${unknown}"; there are ${Object.keys(VARIANTS).join(', ')}.`);
  const count = values.short ? 1 : Math.min(Number(values.folds ?? folds.length), folds.length);
  fs.mkdirSync(path.dirname(RUNS), { recursive: true });
  // A recipe that has changed since is run again, and one that was not yet searched in all ways.
  const settingsOf = (name) => JSON.stringify(VARIANTS[name].recipe ?? null);
  const finished = () => {
    const isOf = (run, name) => run.variant === name || run.variant === halfBaseOf(name);
    const isCurrent = (run) =>
      names.some((name) => isOf(run, name) && run.settings === settingsOf(name)) &&
      Object.values(run.tests).every((ways) => WAYS.every((way) => way in ways));
    return readRuns().filter((run) => run.confirm === confirm && run.fold < count && isCurrent(run));
  };
  for (const name of names) {
    for (let fold = 0; fold < count; fold++) {
      if (finished().some((run) => run.variant === name && run.fold === fold)) continue;
      console.log(`${name}, fold ${fold + 1} of ${count} …`);
      for (const [variant, outcome] of Object.entries(await run(name, folds[fold], fold + 1)))
        fs.appendFileSync(
          RUNS,
          `${JSON.stringify({ confirm, variant, fold, settings: settingsOf(name), ...outcome })}\n`,
        );
    }
  }
  const runs = finished();
  const rows = names.flatMap((name) => (VARIANTS[name].halfBase ? [name, halfBaseOf(name)] : [name]));
  return { confirm, folds: count, results: report(runs, rows, Object.keys(folds[0].tests)) };
}
