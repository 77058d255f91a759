// The search kit: without TensorFlow, the ranking that evaluate measures; and its index as files.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  BM25_WINDOWS,
  buildGoldenDataset,
  chunkPages,
  type EmbeddingDataset,
  evaluateEmbedder,
  linearFusion,
  loadModel,
  rankByBm25,
  rankByVectors,
  readDocuments,
  readGoldenQuestionsBeside,
  saveModel,
  windowedEmbedder,
  wordEmbedder,
} from 'finetune-embedding';
import { seededRandom } from 'finetune-embedding/dist/common/random.js';
import { windowPlaces } from 'finetune-embedding/dist/model/word-spans.js';
import { indexOf } from 'finetune-embedding/dist/search/search-index.js';
import {
  createSearchIndex,
  type Found,
  loadSearchIndex,
  loadSearchModel,
  saveSearchIndex,
} from 'finetune-embedding/search';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TINY } from '../fixtures/engine';

const SETTINGS = { windows: { size: 20, stride: 10 }, windowTemperature: 0.03, bm25Weight: 0.02 };
const WORKED_OVER = 'data/kiln_manual.md';

describe('the search kit', async () => {
  let dataset: EmbeddingDataset;
  const above = fs.mkdtempSync(path.join(os.tmpdir(), 'search-'));
  const folder = path.join(above, 'model');
  afterAll(() => fs.rmSync(above, { recursive: true, force: true }));
  const tiny = await loadModel(TINY);
  beforeAll(async () => {
    const { pages } = await readDocuments([WORKED_OVER]);
    const chunks = await chunkPages(pages, { chunkSize: 120, chunkOverlap: 10 });
    dataset = buildGoldenDataset(chunks, await readGoldenQuestionsBeside([WORKED_OVER])).dataset;
    dataset.queries = Object.fromEntries(Object.entries(dataset.queries).slice(0, 8));
    tiny.search = SETTINGS;
    await saveModel(tiny, folder);
  });

  const ask = (words: string) => {
    const file = path.join(above, 'asked.json');
    fs.writeFileSync(file, JSON.stringify({ corpus: dataset.corpus, questions: Object.values(dataset.queries) }));
    const child = [path.resolve('test/search/search-child.cjs'), folder, file, words];
    return JSON.parse(execFileSync(process.execPath, child, { encoding: 'utf8', maxBuffer: 1e8 })) as {
      found: Found[][][];
      loaded: string[];
      files: string[];
    };
  };

  it.each(['windows', 'words'])('ranks as evaluate does, by %s, and so does its saved index', async (way) => {
    const { found, loaded, files } = ask(way);
    expect(loaded).toEqual([]);
    expect(found[1]).toEqual(found[0]);
    expect(files.map((name) => path.extname(name)).sort()).toEqual(
      way === 'words' ? ['.float32', '.int8', '.json'] : ['.float32', '.json'],
    );

    const { windows, windowTemperature, bm25Weight: weight } = SETTINGS;
    const embedders = [windowedEmbedder(tiny, windows), ...(way === 'words' ? [wordEmbedder(tiny, windows)] : [])];
    const rankings = [];
    for (const embedder of embedders)
      rankings.push((await evaluateEmbedder(embedder, dataset, { windowTemperature })).rankings);
    const bm25 = rankByBm25(dataset, { windows: BM25_WINDOWS, topK: Infinity });
    const expected = linearFusion(rankings, { bm25, weight, topK: Infinity });
    expect(expected[7].length).toBeGreaterThan(50);
    // Words are kept in 8 bits, and a number between two of them falls to either side.
    const near = way === 'words' ? 1e-4 : 1e-5;
    expected.forEach((ranking, question) => {
      const scores = new Map(ranking.map(({ id, score }) => [id, score]));
      const own = found[0][question];
      expect(new Set(own.map(({ id }) => id))).toEqual(new Set(scores.keys()));
      expect(Math.max(...own.map(({ id, score }) => Math.abs(score - scores.get(id)!)))).toBeLessThan(near);
      // So the order is the same, but for documents whose scores are as near to each other.
      expect(Math.max(...own.map(({ score }, place) => Math.abs(score - ranking[place].score)))).toBeLessThan(near);
      const [{ id, text, window }] = own;
      expect(text).toBe(dataset.corpus[id]);
      expect(windowPlaces(tiny.tokenizer, text, windows)).toContainEqual(window);
    });
  });

  it('copies no vectors to answer a question', async () => {
    const [rows, columns] = [10_000, 384];
    const random = seededRandom(1);
    const vectors = { data: Float32Array.from({ length: rows * columns }, () => random() - 0.5), rows, columns };
    const owners = Int32Array.from({ length: rows }, (_, row) => row % 500);
    const corpus = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${i}`, `text ${i}`]));
    const asked = { data: vectors.data.slice(0, columns), rows: 1, columns };
    const model = { ...(await loadSearchModel(folder)), search: { windowTemperature: 0 } };
    const index = indexOf({ ...model, embedQueries: async () => asked }, corpus, [{ vectors, owners }]);
    const held = () => process.memoryUsage().arrayBuffers;
    const before = held();
    const found = await index.search('stone', 500);
    expect(held() - before).toBeLessThan(vectors.data.byteLength / 2);
    const [expected] = rankByVectors(asked, { vectors, owners }, Object.keys(corpus), {
      topK: 500,
      windowTemperature: 0,
    });
    expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    const differences = expected.map(({ score }, place) => Math.abs(score - found[place].score));
    expect(Math.max(...differences)).toBeLessThan(1e-6);
  });

  it('shows the window that fits best', async () => {
    const filler = 'market bread '.repeat(20);
    const index = await createSearchIndex(await loadSearchModel(folder), {
      long: `${filler}a river in winter with stones ${filler}`,
      other: filler,
    });
    const text = index.corpus.long;
    const [{ id, window }] = await index.search('a river in winter with stones', 1);
    expect(id).toBe('long');
    expect(text.slice(...window)).toContain('river in winter');
  });

  it('takes usual windows where a folder says nothing, whole texts where one is trained so', async () => {
    const model = await loadSearchModel(folder);
    const corpus = { a: 'stone '.repeat(300), b: 'river', c: '' };
    const usual = await createSearchIndex({ ...model, search: undefined }, corpus);
    expect(usual.vectors[0].owners.filter((owner) => owner === 0).length).toBeGreaterThan(2);
    const whole = await createSearchIndex({ ...model, search: { windowTemperature: 0 } }, corpus);
    expect([...whole.vectors[0].owners]).toEqual([0, 1, 2]);
    const found = await whole.search('river');
    expect(found.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
    expect(found[0]).toMatchObject({ id: 'b', window: [0, 5] });
    await expect(whole.search('river', 0)).rejects.toThrow('topK is 0');
  });

  it('replaces an index as a whole, and refuses one that is damaged or of another model', async () => {
    const model = await loadSearchModel(folder);
    const at = path.join(above, 'replaced');
    saveSearchIndex(await createSearchIndex(model, { a: 'river' }), at);
    const next = await createSearchIndex(model, { b: 'stone bread' });
    const inTheWay = `${path.join(at, 'index.json')}.${process.pid}.tmp`;
    fs.mkdirSync(inTheWay); // the vectors are written, index.json can't be
    expect(() => saveSearchIndex(next, at)).toThrow(/index\.json/);
    fs.rmSync(inTheWay, { recursive: true, force: true });
    expect((await loadSearchIndex(model, at).search('stone'))[0].id).toBe('a');
    saveSearchIndex(next, at);
    expect(fs.readdirSync(at)).toHaveLength(2);
    expect((await loadSearchIndex(model, at).search('stone'))[0].id).toBe('b');

    const prompts = { query: '', document: 'passage: ' };
    expect(() => loadSearchIndex({ ...model, prompts }, at)).toThrow(/index\.json: is of another model .* Index the/);
    const [vectors] = fs.readdirSync(at).filter((name) => name.endsWith('.float32'));
    fs.truncateSync(path.join(at, vectors), 8);
    expect(() => loadSearchIndex(model, at)).toThrow(/holds 2 numbers, not 1 × 32\. Index the documents again/);
    expect(() => loadSearchIndex(model, above)).toThrow(/index\.json: there is no such file\. Index the documents/);
  });
});
