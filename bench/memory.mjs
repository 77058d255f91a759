// Memory over 500 training steps on short texts: tensors and their bytes must stay level, the process's memory nearly so.
import { trainingPairs } from './data.mjs';
import { modelFolder } from './models.mjs';
import { startOurs } from './peers.mjs';
import { printTable, round } from './table.mjs';

const STEPS = 500;
const EVERY = 50;
const WORDS = 25;

export async function measureMemory() {
  const { source, pairs } = trainingPairs();
  const short = pairs.map(([question, chunk]) => [question, chunk.split(/\s+/).slice(0, WORDS).join(' ')]);
  const settings = {
    model: await modelFolder('all-MiniLM-L6-v2'),
    maxSeqLength: 64,
    batchSize: 10,
    epochs: Math.ceil((STEPS + 1) / Math.ceil(short.length / 10)),
    dropout: 0.1,
    pairs: short,
  };
  const peer = await startOurs(settings);
  const readings = [];
  for (let step = 1; step <= STEPS; step++) {
    await peer.ask({ do: 'step' });
    if (step % EVERY === 0) readings.push({ step, ...(await peer.ask({ do: 'memory' })) });
  }
  peer.close();
  console.log(`all-MiniLM-L6-v2, batches of 10 pairs with chunks of ${WORDS} words from ${source}`);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
  printTable(
    ['step', 'tensors', 'tensors MB', 'process MB', 'peak MB'],
    readings.map(({ step, numTensors, numBytes, rss, peak }) => [
      step,
      numTensors,
      megabytes(numBytes),
      megabytes(rss),
      megabytes(peak),
    ]),
  );
  const middle = readings[readings.length / 2 - 1];
  const last = readings.at(-1);
  return {
    source,
    steps: STEPS,
    tensorsGrown: last.numTensors - readings[0].numTensors,
    tensorBytesGrown: last.numBytes - readings[0].numBytes,
    processGrownMBInSecondHalf: round((last.rss - middle.rss) / 1e6),
    peakMB: round(last.peak / 1e6),
  };
}
