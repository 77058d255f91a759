// In: data for each recipe. Out: ten losses of both, here and by scale:train with one process and with two, compared.
import path from 'node:path';
import { loadModel, RECIPES, train } from 'finetune-embedding';
import { launch } from '../../scripts/scale/launch.mjs';
import { prepare } from '../../scripts/scale/prepare.mjs';

/** The batches of the ten steps. */
const STEPS = 10;
const TOLERANCE = 1e-4;

/** The pairs that a recipe takes ten steps over, where a chunk has two questions. */
export const pairsOf = { original: STEPS * RECIPES.original.batchSize, best: STEPS * RECIPES.best.batchSize * 2 };

const largestDifference = (a, b) => a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);

async function lossesOf(folder, processes) {
  const losses = [];
  await launch(folder, processes, [], ({ loss }) => losses.push(loss));
  return losses;
}

/**
 * Trains an epoch without dropout.
 *
 * @param {{original: object, best: object}} data
 * @returns {Promise<[name: string, difference: number, tolerance: number][]>}
 */
export async function scaleChecks(data, maxSeqLength, folder) {
  const checks = [];
  for (const name of ['original', 'best']) {
    const recipe = { ...RECIPES[name], dropout: 0, epochs: 1 };
    const own = path.join(folder, `scale-${name}`);
    const model = await loadModel('all-MiniLM-L6-v2', { maxSeqLength });
    const run = { data: data[name], recipe, seed: 1, checkpointSeconds: 3600 };
    prepare(own, model, run);
    const { steps } = await train(model, { ...run, outputDir: path.join(own, 'ours') });
    model.dispose();
    const ours = steps.map(({ loss }) => loss);
    const [one, two] = [await lossesOf(own, 1), await lossesOf(own, 2)];
    console.log(`\nscale:train, '${name}'\nstep      ours  1 process  2 processes`);
    ours.forEach((loss, i) => {
      const cells = [loss.toFixed(6).padStart(10), one[i]?.toFixed(6).padStart(11), two[i]?.toFixed(6).padStart(13)];
      console.log(String(i + 1).padStart(4) + cells.join(''));
    });
    const lengths = [ours, one, two].map((losses) => losses.length);
    checks.push(
      [`steps of scale:train, '${name}'`, Math.max(...lengths) - Math.min(...lengths), 0],
      [`losses of scale:train, '${name}', one process and ours`, largestDifference(ours, one), TOLERANCE],
      [`losses of scale:train, '${name}', two processes and one`, largestDifference(two, one), TOLERANCE],
    );
  }
  return checks;
}
