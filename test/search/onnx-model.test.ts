// loadSearchModel: the saved model by onnxruntime embeds as the trained one does, and TensorFlow stays unloaded.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type EmbeddingModel, loadModel, saveModel, windowedEmbedder } from 'finetune-embedding';
import { batchesByTokens } from 'finetune-embedding/dist/model/bert/packing.js';
import { loadSearchModel } from 'finetune-embedding/search';
import { describe, expect, it, onTestFinished } from 'vitest';
import { embeddedTexts, loadTiny, relativeError, TINY, temporaryFolder } from '../fixtures/engine';

/** Short, long, too long and empty ones. */
const texts = [...embeddedTexts, '', 'river '.repeat(200), ...Array.from({ length: 30 }, (_, i) => 'stone '.repeat(i))];

/** A model with prompts and search settings, and the folder that it was saved in. */
async function saved(...pooling: Parameters<typeof loadTiny>): Promise<[EmbeddingModel, string]> {
  const folder = path.join(temporaryFolder(), 'saved');
  const search = { windows: { size: 6, stride: 3 }, windowTemperature: 0.05, bm25Weight: 0.01 };
  const prompts = { query: 'market: ', document: 'a stone of ' };
  await saveModel(Object.assign(await loadTiny(...pooling), { prompts, search }), folder);
  const model = await loadModel(folder);
  onTestFinished(() => model.dispose());
  return [model, folder];
}

describe('loadSearchModel', () => {
  it.each([
    ['mean', true],
    ['cls', false],
  ] as const)(
    'embeds texts, windows and words as the model that was saved (%s, normalised %s)',
    async (mode, normalize) => {
      const [model, folder] = await saved(mode, normalize);
      const onnx = await loadSearchModel(path.relative('.', folder), { name: 'tiny' });
      const { maxSeqLength, search, prompts } = model;
      expect(onnx).toMatchObject({ name: 'tiny', maxSeqLength, search, prompts });

      const expected = await model.embedDocuments(texts);
      const steps: number[] = [];
      const actual = await onnx.embedDocuments(texts, (done) => steps.push(done));
      expect(actual.owners).toEqual(expected.owners);
      expect(relativeError(actual.vectors.data, expected.vectors.data)).toBeLessThan(1e-5);
      expect(steps.at(-1)).toBe(texts.length);
      const queries = (await model.embedQueries(texts)).data;
      expect(relativeError((await onnx.embedQueries(texts)).data, queries)).toBeLessThan(1e-5);
      expect(relativeError(queries, expected.vectors.data as Float32Array)).toBeGreaterThan(0.01); // prompts count

      const { queryTokenizer } = onnx;
      const sequences = texts.map((text) => queryTokenizer.encode(text, maxSeqLength));
      const words = await model.embedWords(sequences, queryTokenizer);
      const sameWords = await onnx.embedWords(sequences, queryTokenizer);
      expect(sameWords.map(({ rows }) => rows)).toEqual(words.map(({ rows }) => rows));
      words.forEach(({ data }, i) => {
        expect(relativeError(sameWords[i].data, data)).toBeLessThan(1e-5);
      });

      const windows = search!.windows!;
      const ofWindows = await windowedEmbedder(model, windows).embedDocuments(texts);
      const sameWindows = await windowedEmbedder(onnx, windows).embedDocuments(texts);
      expect(sameWindows.owners).toEqual(ofWindows.owners);
      expect(relativeError(sameWindows.vectors.data, ofWindows.vectors.data)).toBeLessThan(1e-5);
    },
  );

  it('takes the file of 8 bits where asked, whose vectors are near', async () => {
    const [model, folder] = await saved();
    const onnx = await loadSearchModel(folder, { dtype: 'int8' });
    expect(onnx.file).toBe(path.join(folder, 'onnx', 'model_int8.onnx'));
    fs.rmSync(path.join(folder, 'onnx', 'model.onnx')); // not needed
    const [exact, { data, columns }] = [await model.embedQueries(texts), await onnx.embedQueries(texts)];
    const cosines = texts.map((_, row) =>
      exact.data
        .subarray(row * columns, (row + 1) * columns)
        .reduce((sum, value, i) => sum + value * data[row * columns + i], 0),
    );
    expect(Math.min(...cosines)).toBeGreaterThan(0.95);
    expect(Math.min(...cosines)).toBeLessThan(0.99999);
  });

  it('says what to do where a folder has no such file', async () => {
    await expect(loadSearchModel(TINY, { dtype: 'int8' })).rejects.toThrow(
      /There is no .*model_int8\.onnx\. Save the model there: .*2 GB/,
    );
  });

  it('loads no TensorFlow', async () => {
    const [, folder] = await saved();
    const script = `
      const { loadSearchModel } = require('finetune-embedding/search');
      loadSearchModel(process.argv[1]).then((model) => model.embedQueries(['a river'])).then(({ rows }) =>
        console.log(rows, Object.keys(require.cache).filter((file) => /tensorflow|tfjs/.test(file)).length));`;
    const output = execFileSync(process.execPath, ['-e', script, folder], { encoding: 'utf8' });
    expect(output.trim()).toBe('1 0');
  });
});

it('batches that are padded count the longest of their sequences', () => {
  const lengths = [3, 500, 3, 3, 499, 3, 3];
  const sequences = lengths.map((length) => new Int32Array(length));
  const batches = batchesByTokens(sequences, 1200, true);
  expect(batches.map((batch) => batch.map((index) => lengths[index]))).toEqual([
    [500, 499],
    [3, 3, 3, 3, 3],
  ]);
});
