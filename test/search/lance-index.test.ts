// An index on disk: the same results as evaluate's ranking, however the documents came into it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { rankByVectors } from 'finetune-embedding';
import type { Embeddings } from 'finetune-embedding/dist/common/matrix.js';
import { embedCorpus, LanceIndex } from 'finetune-embedding/search';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../fixtures/engine';
import { corpus, DIMENSIONS, embedderOf, vectorsOf } from './lance-corpus';

const texts = corpus.map(([, text]) => text);
const ids = corpus.map(([id]) => id);
const questions = Array.from({ length: 20 }, (_, i) => vectorsOf(`question ${i}`, 1)[0]);
const asMatrix = (data: Float32Array) => ({ data, rows: 1, columns: data.length });

/** What evaluate finds among all documents. */
const ranked = (question: Float32Array, documents: Embeddings, windowTemperature?: number, topK = 5) =>
  rankByVectors(asMatrix(question), documents, ids, { windowTemperature, topK })[0];

/** Documents of windows at these cosines to the question (1, 0, 0, …). */
function atCosines(...documents: number[][]): Embeddings {
  const rows = documents.flat();
  const data = new Float32Array(rows.length * DIMENSIONS);
  for (const [row, cosine] of rows.entries()) data.set([cosine, Math.sqrt(1 - cosine ** 2)], row * DIMENSIONS);
  const owners = Int32Array.from(documents.flatMap((own, owner) => own.map(() => owner)));
  return { vectors: { data, rows: rows.length, columns: DIMENSIONS }, owners };
}

describe('an index of documents', () => {
  it.each([0.05, 0, 1])('ranks as evaluate does, at a temperature of %s', async (temperature) => {
    const folder = temporaryFolder();
    await embedCorpus(embedderOf(), corpus, await LanceIndex.open(folder), { batchSize: 30 });
    const index = await LanceIndex.open(folder, temperature);
    const documents = await embedderOf().embedDocuments(texts);
    for (const question of questions) {
      const [found, expected] = [await index.search(asMatrix(question)), ranked(question, documents, temperature)];
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      found.forEach(({ id, score, text, window }, i) => {
        expect(score).toBeCloseTo(expected[i].score, 5);
        expect(text).toBe(texts[ids.indexOf(id)]);
        const cosine = (vector: Float32Array) =>
          vector.reduce((sum, value, j) => sum + value * question[j], 0) / Math.hypot(...vector);
        const cosines = vectorsOf(text).map(cosine);
        expect(cosines[window]).toBe(Math.max(...cosines));
      });
    }
  });

  it('finds a document whose windows all fit, behind many that have one nearer window each', async () => {
    const index = await LanceIndex.open(temporaryFolder());
    const single = [0.8, ...Array(7).fill(-0.8)]; // scored 0.8 − 0.05 · ln 8 = 0.696
    const documents = atCosines(...Array(199).fill(single), Array(8).fill(0.75));
    await index.add(corpus, documents);
    const question = new Float32Array(DIMENSIONS).fill(1, 0, 1);
    const [found] = await index.search(asMatrix(question), 1);
    expect(found).toMatchObject({ id: ids[199], text: texts[199] });
    expect(found.score).toBeCloseTo(0.75, 5);
    expect((await index.search(asMatrix(question), 1000)).length).toBe(200);
  });

  it('reads the clusters near to a question once there are many, and misses next to nothing', async () => {
    const folder = temporaryFolder();
    const index = await LanceIndex.open(folder);
    const many = Array.from({ length: 20_100 }, (_, i): [string, string] => [`${i}`, `Text ${i}`]);
    await embedCorpus(embedderOf(), many, index, { batchSize: 5000 });
    await index.optimize();
    expect(fs.readdirSync(path.join(folder, 'windows.lance', '_indices')).length).toBe(2); // of ids, and of vectors
    const again = await LanceIndex.open(folder);
    let same = 0;
    for (const [i, noise] of questions.entries()) {
      const question = asMatrix(vectorsOf(`Text ${1000 * i}`)[0].map((value, j) => value + 0.5 * noise[j]));
      const exact = (await again.search(question, 5, true)).map(({ id }) => id);
      same += (await again.search(question, 5)).filter(({ id }) => exact.includes(id)).length;
    }
    expect(same / questions.length / 5).toBeGreaterThan(0.85);
  });

  it('refuses what cannot be compared', async () => {
    const index = await LanceIndex.open(temporaryFolder());
    await index.add(corpus, atCosines([0.5]));
    const of = (...numbers: number[]) => ({ ...atCosines([1]), vectors: asMatrix(Float32Array.from(numbers)) });
    await expect(index.add(corpus, of(1, 2))).rejects.toThrow(/have 2 dimensions, the index's 64: take the model/);
    await expect(index.add(corpus, of(1, NaN))).rejects.toThrow(
      /A vector of document "it's .*0"" holds NaN: the model/,
    );
    await expect(index.search(asMatrix(Float32Array.of(NaN)))).rejects.toThrow(/The vector of the question holds NaN/);
    await expect(index.search(asMatrix(questions[0]), 0)).rejects.toThrow(/topK is 0/);
    expect((await index.search(asMatrix(questions[0]), Infinity)).length).toBe(1);
  });

  it('has nothing to find before documents are added, and takes them from two sides at once', async () => {
    const folder = temporaryFolder();
    const [one, other] = [await LanceIndex.open(folder), await LanceIndex.open(folder)];
    expect(await one.search(asMatrix(questions[0]))).toEqual([]);
    await Promise.all([
      embedCorpus(embedderOf(), corpus.slice(0, 100), one, { batchSize: 20 }),
      embedCorpus(embedderOf(), corpus.slice(100), other, { batchSize: 20 }),
    ]);
    expect((await (await LanceIndex.open(folder)).present([...ids, 'none'])).size).toBe(200);
  });

  it('comes into being once, though several make it at the same moment', async () => {
    const cosines = atCosines([0.5]);
    for (let times = 0; times < 30; times++) {
      const folder = temporaryFolder();
      const indexes = await Promise.all([0, 1, 2].map(() => LanceIndex.open(folder)));
      await Promise.all(indexes.map((index, i) => index.add([corpus[i]], cosines)));
      expect((await (await LanceIndex.open(folder)).present(ids)).size).toBe(3);
    }
  });
});

it('goes on where an embedding killed with SIGKILL was, and embeds no document twice', async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, [path.resolve('test/search/embed-child.mts'), folder]);
  const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  for await (const line of child.stdout) if (Number(line) >= 50) break;
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');

  const before = [...(await (await LanceIndex.open(folder)).present(ids))];
  expect(before.length).toBeGreaterThanOrEqual(50);
  expect(before.length % 10).toBe(0); // whole batches
  expect(before.length).toBeLessThan(200);
  const model = embedderOf();
  const index = await LanceIndex.open(folder);
  await embedCorpus(model, corpus, index, { batchSize: 7 });
  expect(model.embedded).toEqual(texts.filter((_, i) => !before.includes(ids[i])));
  const documents = await embedderOf().embedDocuments(texts);
  for (const question of questions) {
    const found = await index.search(asMatrix(question), 10);
    expect(found.map(({ id }) => id)).toEqual(ranked(question, documents, undefined, 10).map(({ id }) => id));
  }
});
