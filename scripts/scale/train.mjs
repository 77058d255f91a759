// npm run scale:train: the training of the finetune notebook by PyTorch, in any number of processes, with the notebook's settings
// (environment variables of the same names). Out: OUTPUT_DIR as finetune leaves it.
//
//   --processes N: on this machine, one a GPU (1 by default)
//   other arguments go to torchrun, which finds other machines by them (docs/scale.md)
import fs from 'node:fs';
import path from 'node:path';
import * as fe from 'finetune-embedding';
import ids from 'finetune-embedding/dist/common/ids.js';
import loading from 'finetune-embedding/dist/model/load.js';
import batches from 'finetune-embedding/dist/train/batches.js';
import recipes from 'finetune-embedding/dist/train/recipe.js';
import runs from 'finetune-embedding/dist/train/run/checkpoint.js';
import { ROOT } from '../environment.mjs';
import { launch } from './launch.mjs';
import { prepare } from './prepare.mjs';
import { setUp } from './venv.mjs';

const { setting } = fe;
const METRIC = 'MAP@100';

/** The settings of the notebook that say how to train, with its defaults. */
function readSettings() {
  const name = setting('RECIPE', 'best', { oneOf: ['original', 'best'] });
  const chosen = fe.RECIPES[name];
  const recipe = {
    ...chosen,
    epochs: setting('EPOCHS', chosen.epochs),
    batchSize: setting('BATCH_SIZE', chosen.batchSize),
    learningRate: setting('LEARNING_RATE', chosen.learningRate),
    dropout: setting('DROPOUT', chosen.dropout),
  };
  recipes.checkRecipe(recipe);
  const prompt = (variable) => setting(variable, name === 'original' ? '' : 'auto', { optional: true });
  return {
    name,
    recipe,
    size: setting('TRAIN_WINDOW_SIZE', chosen.windows?.size ?? 0, { min: 0, max: 510, integer: true }),
    stride: setting('TRAIN_WINDOW_STRIDE', 94, { min: 1, max: 510, integer: true }),
    searchStride: setting('WINDOW_STRIDE', fe.DEFAULT_SEARCH.windows.stride, { min: 1, max: 510, integer: true }),
    trainFile: setting('TRAIN_DATASET', '../data/train_dataset.json'),
    valFile: setting('VAL_DATASET', '../data/val_dataset.json'),
    base: setting('BASE_MODEL', 'sentence-transformers/all-MiniLM-L6-v2'),
    prompts: { query: prompt('QUERY_PROMPT'), document: prompt('DOCUMENT_PROMPT') },
    outputDir: setting('OUTPUT_DIR', '../exp_finetune'),
    maxSeqLength: setting('MAX_SEQ_LENGTH', 512, { min: 8, max: 512, integer: true }),
    seed: setting('SEED', 42, { min: 0, max: 1_000_000, integer: true }),
    checkpointSeconds: setting('CHECKPOINT_SECONDS', 60, { min: 0, max: 86_400 }),
  };
}

/** `--processes N`, and what is torchrun's. */
function readArguments([...args]) {
  const at = args.indexOf('--processes');
  const processes = at < 0 ? 1 : Number(args.splice(at, 2)[1]);
  if (!(Number.isInteger(processes) && processes > 0)) throw new Error('--processes takes a whole number from 1.');
  return { processes, meeting: args };
}

/** The step whose model finds most on validation questions, 0 for the base; the model then holds its weights. */
async function chooseBest(model, embedder, folder, validation) {
  const { keep } = JSON.parse(fs.readFileSync(path.join(folder, 'settings.json'), 'utf8'));
  const load = (step) => loading.loadWeights(model, step ? path.join(folder, `step-${step}`) : model.folder);
  let best = { step: 0, score: Number.NEGATIVE_INFINITY };
  for (const step of [0, ...keep]) {
    await load(step);
    const { hitRate, metrics } = await fe.evaluateEmbedder(embedder, validation, model.search);
    const score = metrics[METRIC];
    console.log(`step ${step}: hit rate@5 ${hitRate.toFixed(3)}, ${METRIC} ${score.toFixed(3)}`);
    if (score > best.score) best = { step, score };
  }
  await load(best.step);
  return { keptStep: best.step, steps: keep.at(-1) };
}

async function main() {
  const { processes, meeting } = readArguments(process.argv.slice(2));
  process.chdir(path.join(ROOT, 'notebooks')); // whose settings have paths from there
  const { name, recipe, size, stride, searchStride, trainFile, valFile, base, outputDir, ...run } = readSettings();
  await setUp();
  const data = await fe.readDataset(trainFile);
  const validation = await fe.readDataset(valFile);
  fe.assertDisjoint(data, validation);
  batches.checkPairs(data);
  const model = await fe.loadModel(base, { maxSeqLength: run.maxSeqLength, prompts: run.prompts });
  recipe.windows = size > 0 ? fe.fitWindows(model, size, stride) : undefined;
  const windows = size > 0 ? fe.fitWindows(model, size, searchStride) : undefined;
  model.search = { windows, windowTemperature: fe.DEFAULT_SEARCH.windowTemperature };
  const embedder = windows ? fe.windowedEmbedder(model, windows) : model;

  // Named by all that its result depends on: the same run goes on, another begins anew.
  const conditions = runs.conditionsOf(model, { ...run, data, recipe }, 'torch', {});
  const folder = path.join(ROOT, '.cache', 'scale', ids.contentId(conditions).slice(0, 16));
  console.log(`Preparing ${path.relative(ROOT, folder)} …`);
  prepare(folder, model, { ...run, data, recipe });
  const isHere = await launch(folder, processes, meeting, ({ step, loss }) =>
    console.log(`${String(step).padStart(6)}  loss ${loss.toFixed(5)}`),
  );
  if (!isHere) return console.log('Trained. The machine of the first process chooses and saves the model.');

  console.log(`Asking ${valFile} …`);
  const kept = await chooseBest(model, embedder, folder, validation);
  if (kept.keptStep === 0) {
    fs.rmSync(folder, { recursive: true });
    return console.log(`No step is better than the base: ${outputDir} stays as it is.`);
  }
  const { weight: bm25Weight } = await fe.tuneFusion([embedder], validation, model.search);
  model.search = { ...model.search, bm25Weight };
  const factsOf = (file, { queries, corpus }) => ({
    questions: Object.keys(queries).length,
    chunks: Object.keys(corpus).length,
    sha256: ids.hashFile(file),
  });
  const { epochs, batchSize, learningRate, dropout } = recipe;
  const settings = {
    ...{ recipe: name, epochs, 'batch size': batchSize, 'learning rate': learningRate, dropout },
    ...{ 'tokens at most': run.maxSeqLength, seed: run.seed, processes },
  };
  const datasets = { train: factsOf(trainFile, data), validation: factsOf(valFile, validation) };
  await fe.saveModel(model, outputDir, { base, ...datasets, settings, ...kept });
  fs.rmSync(folder, { recursive: true, force: true });
  console.log(`${path.resolve(outputDir)} holds the model of step ${kept.keptStep}.`);
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
