// Time of a training step and peak memory of the process: ours with each distinct chunk of a batch encoded once, ours with each
// pair's chunk encoded, and sentence-transformers on PyTorch. They take their steps in turn, so that a busy machine slows all.

import { parseArgs } from 'node:util';
import { trainingPairs } from './data.mjs';
import { modelFolder } from './models.mjs';
import { startOurs, startTheirs } from './peers.mjs';
import { median, printTable, round } from './table.mjs';

const WARM_UP = 3;
const DROPOUT = 0.1;

const OPTIONS = {
  model: { type: 'string', default: 'all-MiniLM-L6-v2' },
  dropout: { type: 'boolean', default: false },
  steps: { type: 'string', default: '10' },
};

export async function measureTrain(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const steps = Number(values.steps);
  if (!Number.isInteger(steps) || steps < 1)
    throw new Error(`--steps is ${values.steps}; it must be a whole number from 1.`);
  const { source, pairs } = trainingPairs();
  const settings = {
    model: await modelFolder(values.model),
    maxSeqLength: 512,
    batchSize: 10,
    epochs: 1,
    dropout: values.dropout ? DROPOUT : 0,
    pairs: pairs.slice(0, 10 * (WARM_UP + steps)),
  };
  console.log(
    `${values.model}, batches of 10 pairs × 512 tokens from ${source}, ${steps} steps after ${WARM_UP} to warm up`,
  );
  const peers = {
    distinctChunks: await startOurs(settings),
    eachPair: await startOurs({ ...settings, eachPair: true }),
  };
  const theirs = await startTheirs(settings);
  if (theirs) peers.sentenceTransformers = theirs;

  const taken = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
  for (let step = 0; step < WARM_UP + steps; step++) {
    for (const [name, peer] of Object.entries(peers)) taken[name].push(await peer.ask({ do: 'step' }));
  }
  const result = { model: values.model, source, dropout: settings.dropout, steps };
  for (const [name, peer] of Object.entries(peers)) {
    const times = taken[name].map(({ milliseconds }) => milliseconds / 1000);
    const { peak } = await peer.ask({ do: 'memory' });
    peer.close();
    result[name] = {
      medianSeconds: round(median(times.slice(WARM_UP))),
      firstSeconds: round(times[0]),
      peakGB: round(peak / 1e9),
    };
  }
  print(result, taken);
  return result;
}

const NAMES = {
  distinctChunks: 'ours, distinct chunks once',
  eachPair: 'ours, each pair encoded',
  sentenceTransformers: 'sentence-transformers',
};

function print(result, taken) {
  const theirs = result.sentenceTransformers;
  const rows = Object.keys(taken).map((name) => {
    const own = result[name];
    if (theirs) own.ratio = round(own.medianSeconds / theirs.medianSeconds);
    const first = own.firstSeconds / own.medianSeconds;
    const cells = [own.medianSeconds.toFixed(2), own.firstSeconds.toFixed(2), first.toFixed(1), own.peakGB.toFixed(2)];
    return [NAMES[name], ...cells, own.ratio?.toFixed(2) ?? '–'];
  });
  printTable(['', 'median s', 'first s', 'first/median', 'peak GB', '× theirs'], rows);
  if (!theirs || result.dropout) return;
  // The same work shows in the same losses.
  const differences = taken.sentenceTransformers.map(({ loss }, step) =>
    Math.max(Math.abs(taken.distinctChunks[step].loss - loss), Math.abs(taken.eachPair[step].loss - loss)),
  );
  result.largestLossDifference = Number(Math.max(...differences).toExponential(1));
  console.log(`largest difference of a step's loss to theirs: ${result.largestLossDifference}`);
}
