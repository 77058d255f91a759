// Texts a second: chunk-like and question-like texts through ours and through sentence-transformers on PyTorch, a share of the
// texts in turn.
import { textsToEncode } from './data.mjs';
import { modelFolder } from './models.mjs';
import { startOurs, startTheirs } from './peers.mjs';
import { printTable, round } from './table.mjs';

/** Rounds in which they take turns; each gets every fifth text, so that all rounds are alike. */
const ROUNDS = 5;

export async function measureEncode() {
  const { source, chunks, queries } = textsToEncode();
  const texts = [...chunks, ...queries];
  const settings = { model: await modelFolder('all-MiniLM-L6-v2'), maxSeqLength: 512 };
  const peers = { ours: await startOurs(settings) };
  const theirs = await startTheirs(settings);
  if (theirs) peers.sentenceTransformers = theirs;
  console.log(`${chunks.length} chunks and ${queries.length} questions from ${source}, at most 512 tokens`);
  const times = Object.fromEntries(Object.keys(peers).map((name) => [name, 0]));
  const vectors = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
  for (const peer of Object.values(peers)) await peer.ask({ do: 'encode', texts: texts.slice(0, 32) }); // warm-up
  for (let turn = 0; turn < ROUNDS; turn++) {
    const share = texts.filter((_, i) => i % ROUNDS === turn);
    for (const [name, peer] of Object.entries(peers)) {
      const { milliseconds, first } = await peer.ask({ do: 'encode', texts: share });
      times[name] += milliseconds / 1000;
      vectors[name].push(...first);
    }
  }
  const result = { source, texts: texts.length };
  for (const [name, peer] of Object.entries(peers)) {
    const { peak } = await peer.ask({ do: 'memory' });
    peer.close();
    result[name] = {
      textsPerSecond: round(texts.length / times[name]),
      seconds: round(times[name]),
      peakGB: round(peak / 1e9),
    };
  }
  printTable(
    ['', 'texts/s', 'seconds', 'peak GB'],
    Object.keys(peers).map((name) => [
      name === 'ours' ? 'ours' : 'sentence-transformers',
      result[name].textsPerSecond.toFixed(1),
      result[name].seconds.toFixed(1),
      result[name].peakGB.toFixed(2),
    ]),
  );
  if (theirs) {
    result.timesTheirs = round(times.sentenceTransformers / times.ours);
    const difference = Math.max(...vectors.ours.map((value, i) => Math.abs(value - vectors.sentenceTransformers[i])));
    result.largestDifference = Number(difference.toExponential(1));
    console.log(
      `ours is ${result.timesTheirs.toFixed(2)} times as fast; largest difference of embeddings ${result.largestDifference}`,
    );
  }
  return result;
}
