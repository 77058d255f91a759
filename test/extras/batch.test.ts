import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLlmGenerator } from 'finetune-embedding/dist/questions/llm-generator.js';
import type { LlmSettings } from 'finetune-embedding/dist/questions/llm-settings.js';
import { askInBatches } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeOpenAI } from '../questions/fake-openai';

const KEY = 'sk-test-0123456789abcdefghij';
const OPTIONS = { questionsPerChunk: 2, corpus: 'train' };
const NOTHING = { rows: [], handedIn: 0, collected: 0, failed: 0, pending: 0 };
const chunksOf = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ id: `c${i}`, text: `Chapter${i} on harbours.` }));
let settings: LlmSettings;
let server: FakeOpenAI;

beforeEach(async () => {
  server = await FakeOpenAI.start({ apiKey: KEY });
  const cacheDir = await mkdtemp(path.join(tmpdir(), 'batch-'));
  settings = { model: 'm', cacheDir, baseURL: server.url, apiKey: KEY };
});
afterEach(async () => {
  await server.close();
  await rm(settings.cacheDir, { recursive: true });
});

/** One run of the notebook's cell. */
const ask = (n: number, at = settings) => askInBatches(at, { train: chunksOf(n) }, OPTIONS);
const stateFile = () => path.join(settings.cacheDir, 'train.batches.json');

describe('batches', () => {
  it('are handed in, waited for and collected; generate then asks nothing', async () => {
    const chunks = chunksOf(30);
    const row = { corpus: 'train', batch: 'batch-1', status: 'in_progress', requests: 30, answered: 0, failed: 0 };
    const waiting = { ...NOTHING, rows: [row], pending: 30, next: expect.stringMatching(/^30 request.* again later/) };
    expect(await ask(30)).toEqual({ ...waiting, handedIn: 30 });
    expect(await ask(30)).toEqual(waiting);
    expect(server.batches.batches.size).toBe(1);

    server.batches.finish();
    const next = 'Every chunk has its answer: go on with the next cell.';
    const rows = [{ ...row, status: 'completed', answered: 30 }];
    expect(await ask(30)).toEqual({ ...NOTHING, rows, collected: 30, next });
    expect(await ask(30)).toEqual({ ...NOTHING, next });
    const { questions, summary } = await createLlmGenerator(settings).generate(chunks, OPTIONS);
    expect(summary).toMatchObject({ asked: 0, answered: 30, empty: 0 });
    expect([...questions.values()].every((list) => list.length === 2)).toBe(true);
    expect(server.calls).toEqual([]);
  });

  it('of several corpora go in one call, each to the answers of its corpus', async () => {
    const corpora = { train: chunksOf(3), val: chunksOf(2), test: [] };
    const { rows } = await askInBatches(settings, corpora, OPTIONS);
    expect(rows).toMatchObject([
      { corpus: 'train', batch: 'batch-1', requests: 3 },
      { corpus: 'val', batch: 'batch-2', requests: 2 },
    ]);
    server.batches.finish();
    expect(await askInBatches(settings, corpora, OPTIONS)).toMatchObject({ collected: 5, pending: 0 });
    const generator = createLlmGenerator(settings);
    expect(await generator.missing(corpora.train, OPTIONS)).toEqual([]);
    expect(await generator.missing(corpora.train, { ...OPTIONS, corpus: 'val' })).toHaveLength(1);
  });

  it('send the same requests as live calls', async () => {
    await ask(1);
    const line = JSON.parse([...server.batches.files.values()][0]);
    await createLlmGenerator(settings).generate(chunksOf(1), { ...OPTIONS, corpus: 'live' });
    expect(line).toMatchObject({ method: 'POST', url: '/v1/chat/completions', body: server.calls[0].body });
  });

  it('that expire give what they have; the rest is asked again, after the reader has seen why', async () => {
    await ask(10);
    let n = 0;
    server.batches.finish({ status: 'expired', fails: () => n++ % 2 === 0 });
    expect(await ask(10)).toEqual({
      rows: [
        { corpus: 'train', batch: 'batch-1', status: 'expired', requests: 10, answered: 5, failed: 5, problem: 'late' },
      ],
      next: '5 request(s) came back without an answer: run this cell again to hand them in anew.',
      handedIn: 0,
      collected: 5,
      failed: 5,
      pending: 0,
    });
    expect(await ask(10)).toMatchObject({ handedIn: 5, rows: [{ batch: 'batch-2', requests: 5 }] });
  });

  it('are found again if the process died before their id was noted', async () => {
    await ask(4);
    const entries = JSON.parse(await readFile(stateFile(), 'utf8'));
    const { id, ...lost } = entries[0];
    const never = { ...lost, marker: 'never-arrived', requests: { key: 'c9' } };
    await writeFile(stateFile(), JSON.stringify([lost, never]));
    expect(await ask(4)).toMatchObject({ handedIn: 0, pending: 4 });
    expect(JSON.parse(await readFile(stateFile(), 'utf8'))).toEqual([{ ...lost, id }]);
  });

  it('are handed in once if the connection breaks before the server answers', async () => {
    server.batches.loseNextReply();
    await expect(ask(4)).rejects.toThrow(/Connection error.*run it again/s);
    expect(await ask(4)).toMatchObject({ handedIn: 0, pending: 4 });
    expect(server.batches.batches.size).toBe(1);
  });

  it('are not asked live as well while they are out', async () => {
    const generator = createLlmGenerator(settings);
    await ask(3);
    // A chunk that came later is in no batch.
    expect(await generator.missing(chunksOf(4), OPTIONS)).toEqual([chunksOf(4)[3]]);
    await expect(generator.generate(chunksOf(4), OPTIONS)).rejects.toThrow(
      /^3 chunk\(s\) are out in batches.*askInBatches.*train\.batches\.json/,
    );
    expect(server.calls).toEqual([]);
    server.batches.finish();
    await ask(3);
    expect((await generator.generate(chunksOf(4), OPTIONS)).summary).toMatchObject({ asked: 1, answered: 4 });
  });

  it('of another server are left alone', async () => {
    await ask(2);
    const elsewhere = await FakeOpenAI.start();
    try {
      const there = { ...settings, baseURL: elsewhere.url };
      expect(await ask(2, there)).toMatchObject({ handedIn: 2, collected: 0, failed: 0, rows: [{ requests: 2 }] });
    } finally {
      await elsewhere.close();
    }
    server.batches.finish();
    expect(await ask(2)).toMatchObject({ collected: 2 });
  });

  it('that the server no longer knows are named, and the others are collected', async () => {
    await ask(2);
    const [lost] = server.batches.batches.keys();
    server.batches.batches.delete(lost);
    const unknown = {
      batch: lost,
      status: 'unknown',
      problem: expect.stringMatching(/No such object.*delete.*batches/),
    };
    expect((await ask(5)).rows).toMatchObject([unknown, { status: 'in_progress', requests: 3 }]);
    server.batches.finish();
    expect(await ask(5)).toMatchObject({
      rows: [unknown, { status: 'completed' }],
      collected: 3,
      failed: 0,
      pending: 2,
    });
  });

  it('are not collected twice if the process died while collecting', async () => {
    await ask(4);
    const before = await readFile(stateFile(), 'utf8');
    server.batches.finish();
    await ask(4);
    await writeFile(stateFile(), before);
    expect(await ask(4)).toMatchObject({ collected: 0, failed: 0 });
    const lines = (await readFile(path.join(settings.cacheDir, 'train.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
  });

  it('fail with the server’s message and without the key', async () => {
    const wrong = { ...settings, apiKey: 'sk-wrong-0123456789abcdefghij' };
    await expect(ask(1, wrong)).rejects.toThrow(/Incorrect API key provided: \[key\]/);
  });
});
