// What scale:train hands to PyTorch: the library's own batches, learning rates and token ids, and when a run is evaluated.
import fs from 'node:fs';
import path from 'node:path';
import { makeBatches, RECIPES, train } from 'finetune-embedding';
import { windowSequences } from 'finetune-embedding/dist/model/tokenizer.js';
import { describe, expect, it } from 'vitest';
// @ts-expect-error the scripts are plain JavaScript, without declarations
import { prepare } from '../../scripts/scale/prepare.mjs';
import { examplePairs, loadTiny, temporaryFolder } from '../fixtures/engine';

const seed = 3;

/** A prepared run read as train.py reads it, and the steps and evaluations of the same run here. */
async function prepared(changes: object) {
  const data = examplePairs();
  const model = await loadTiny();
  const recipe = { ...RECIPES.best, dropout: 0, epochs: 2, windows: { size: 12, stride: 12 }, ...changes };
  const folder = temporaryFolder();
  prepare(folder, model, { data, recipe, seed, checkpointSeconds: 60 });
  const numbers = (name: string) => new Int32Array(Uint8Array.from(fs.readFileSync(path.join(folder, name))).buffer);
  const [tokens, lengths] = [numbers('tokens.i32'), numbers('lengths.i32')];
  const sequence = (number: number) => {
    const start = lengths.subarray(0, number).reduce((sum, length) => sum + length, 0);
    return [...tokens.subarray(start, start + lengths[number])];
  };
  const lines = fs.readFileSync(path.join(folder, 'batches.jsonl'), 'utf8').trim().split('\n');
  const settings = JSON.parse(fs.readFileSync(path.join(folder, 'settings.json'), 'utf8'));
  const evaluate = async () => 0;
  const outputDir = path.join(temporaryFolder(), 'out');
  const { steps, evaluations } = await train(model, { data, recipe, seed, outputDir, evaluate });
  const batches = [0, 1].flatMap((epoch) => makeBatches(data, recipe.batching, recipe.batchSize, seed, epoch));
  return {
    data,
    model,
    recipe,
    sequence,
    lines: lines.map((line) => JSON.parse(line)),
    settings,
    steps,
    evaluations,
    batches,
  };
}

describe('a run prepared for PyTorch', () => {
  it('has the batches, windows and learning rates of the training here', async () => {
    const { data, model, recipe, sequence, lines, batches, steps } = await prepared({});
    expect(lines.map(({ learningRate }) => learningRate)).toEqual(steps.map(({ learningRate }) => learningRate));
    expect(lines).toHaveLength(batches.length);
    batches.forEach((batch, i) => {
      const line = lines[i];
      const asked = batch.queryIds.map((id) => [...model.queryTokenizer.encode(data.queries[id], model.maxSeqLength)]);
      expect(line.questions.map(sequence)).toEqual(asked);
      const windows = batch.chunkIds.map((id) =>
        windowSequences(model.tokenizer, data.corpus[id], recipe.windows, model.maxSeqLength).map((ids) => [...ids]),
      );
      expect(line.windows.map(sequence)).toEqual(windows.flat());
      expect(line.counts).toEqual(windows.map(({ length }) => length));
      expect(line.targets).toEqual([...batch.targets]);
      expect(line.columns).toEqual([...batch.columnChunks]);
      expect(line.knownPositives).toEqual(batch.knownPositives);
    });
    expect(Math.max(...lines.flatMap(({ counts }) => counts))).toBeGreaterThan(1);
  });

  it('keeps the models that the training here would evaluate', async () => {
    const { settings, evaluations } = await prepared({ batchSize: 4 }); // 14 steps: the last quarter is shorter
    expect([0, ...settings.keep]).toEqual(evaluations.map(({ step }) => step));
  });

  it('has a column for each pair in file order, and whole chunks without windows', async () => {
    const { data, model, sequence, lines, batches } = await prepared({ ...RECIPES.original, windows: undefined });
    const chunks = batches[0].chunkIds.map((id) => [
      ...model.documentTokenizer.encode(data.corpus[id], model.maxSeqLength),
    ]);
    expect(lines[0].windows.map(sequence)).toEqual(chunks);
    expect(lines[0].counts).toEqual(chunks.map(() => 1));
    expect(lines[0].columns).toHaveLength(RECIPES.original.batchSize);
    expect(chunks.length).toBeLessThan(RECIPES.original.batchSize);
  });

  it('is left as it is when it is there', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'settings.json'), '{}');
    prepare(folder, await loadTiny(), { data: examplePairs(), recipe: RECIPES.best, seed, checkpointSeconds: 60 });
    expect(fs.readdirSync(folder)).toEqual(['settings.json']);
  });
});
