import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packRequests } from 'finetune-embedding/dist/extras/batch-api/batch-lines.js';
import { LlmQuestionGenerator, type LlmSettings } from 'finetune-embedding/dist/questions/index.js';
import { collectBatches, pollBatches, submitBatches } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeOpenAI } from '../questions/fake-openai';

const KEY = 'sk-test-0123456789abcdefghij';
const OPTIONS = { questionsPerChunk: 2, corpus: 'train' };
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

const stateFile = () => path.join(settings.cacheDir, 'train.batches.json');

describe('batches', () => {
  it('are submitted, polled and collected; generate then asks nothing', async () => {
    const chunks = chunksOf(30);
    expect(await submitBatches(settings, chunks, OPTIONS)).toEqual({ requests: 30, batches: 1 });
    expect(await submitBatches(settings, chunks, OPTIONS)).toEqual({ requests: 0, batches: 0 });
    const pending = { collected: 0, failed: 0, pending: 30, problems: [] };
    expect(await collectBatches(settings, 'train')).toEqual(pending);
    expect(await pollBatches(settings, 'train')).toMatchObject([{ status: 'in_progress', total: 30, completed: 0 }]);

    server.batches.finish();
    expect(await pollBatches(settings, 'train')).toMatchObject([{ status: 'completed', completed: 30 }]);
    expect(await collectBatches(settings, 'train')).toEqual({ ...pending, collected: 30, pending: 0 });
    expect(await collectBatches(settings, 'train')).toEqual({ ...pending, pending: 0 });
    const { questions, summary } = await new LlmQuestionGenerator(settings).generate(chunks, OPTIONS);
    expect(summary).toMatchObject({ asked: 0, answered: 30, chunksWithoutQuestions: [] });
    expect([...questions.values()].every((list) => list.length === 2)).toBe(true);
    expect(server.calls).toEqual([]);
  });

  it('send the same requests as live calls', async () => {
    const chunks = chunksOf(1);
    await submitBatches(settings, chunks, OPTIONS);
    const line = JSON.parse([...server.batches.files.values()][0]);
    await new LlmQuestionGenerator(settings).generate(chunks, { ...OPTIONS, corpus: 'live' });
    expect(line).toMatchObject({ method: 'POST', url: '/v1/chat/completions', body: server.calls[0].body });
  });

  it('that expire give what they have; the rest is asked again', async () => {
    const chunks = chunksOf(10);
    await submitBatches(settings, chunks, OPTIONS);
    let n = 0;
    server.batches.finish({ status: 'expired', fails: () => n++ % 2 === 0 });
    expect(await collectBatches(settings, 'train')).toEqual({
      collected: 5,
      failed: 5,
      pending: 0,
      problems: ['late'],
    });
    expect(await submitBatches(settings, chunks, OPTIONS)).toEqual({ requests: 5, batches: 1 });
  });

  it('are found again if the process died before their id was noted', async () => {
    await submitBatches(settings, chunksOf(4), OPTIONS);
    const entries = JSON.parse(await readFile(stateFile(), 'utf8'));
    const { id, ...lost } = entries[0];
    const never = { ...lost, marker: 'never-arrived', requests: { key: 'c9' } };
    await writeFile(stateFile(), JSON.stringify([lost, never]));
    expect(await submitBatches(settings, chunksOf(4), OPTIONS)).toEqual({ requests: 0, batches: 0 });
    expect(JSON.parse(await readFile(stateFile(), 'utf8'))).toEqual([{ ...lost, id }]);
  });

  it('are handed in once if the connection breaks before the server answers', async () => {
    server.batches.loseNextReply();
    await expect(submitBatches(settings, chunksOf(4), OPTIONS)).rejects.toThrow(/Connection error.*run it again/s);
    expect(await submitBatches(settings, chunksOf(4), OPTIONS)).toEqual({ requests: 0, batches: 0 });
    expect(server.batches.batches.size).toBe(1);
  });

  it('are not asked live as well while they are out', async () => {
    const generator = new LlmQuestionGenerator(settings);
    await submitBatches(settings, chunksOf(3), OPTIONS);
    // A chunk that came later is in no batch.
    expect(await generator.missing(chunksOf(4), OPTIONS)).toEqual([chunksOf(4)[3]]);
    await expect(generator.generate(chunksOf(4), OPTIONS)).rejects.toThrow(
      /^3 chunk\(s\) are out in batches.*collectBatches.*train\.batches\.json/,
    );
    expect(server.calls).toEqual([]);
    server.batches.finish();
    await collectBatches(settings, 'train');
    expect((await generator.generate(chunksOf(4), OPTIONS)).summary).toMatchObject({ asked: 1, answered: 4 });
  });

  it('of another server are left alone', async () => {
    await submitBatches(settings, chunksOf(2), OPTIONS);
    const elsewhere = await FakeOpenAI.start();
    try {
      const there = { ...settings, baseURL: elsewhere.url };
      expect(await pollBatches(there, 'train')).toEqual([]);
      expect(await collectBatches(there, 'train')).toEqual({ collected: 0, failed: 0, pending: 0, problems: [] });
      expect(await submitBatches(there, chunksOf(2), OPTIONS)).toEqual({ requests: 2, batches: 1 });
    } finally {
      await elsewhere.close();
    }
    server.batches.finish();
    expect(await collectBatches(settings, 'train')).toMatchObject({ collected: 2 });
  });

  it('that the server no longer knows are named, and the others are collected', async () => {
    await submitBatches(settings, chunksOf(2), OPTIONS);
    const [lost] = server.batches.batches.keys();
    server.batches.batches.delete(lost);
    await submitBatches(settings, chunksOf(5), OPTIONS);
    expect(await pollBatches(settings, 'train')).toMatchObject([
      { id: lost, status: 'unknown', problem: expect.stringContaining('No such object') },
      { status: 'in_progress' },
    ]);
    server.batches.finish();
    const { problems, ...counts } = await collectBatches(settings, 'train');
    expect(counts).toEqual({ collected: 3, failed: 0, pending: 2 });
    expect(problems).toEqual([expect.stringMatching(/No such object.*delete.*train\.batches\.json/)]);
  });

  it('are not collected twice if the process died while collecting', async () => {
    await submitBatches(settings, chunksOf(4), OPTIONS);
    const before = await readFile(stateFile(), 'utf8');
    server.batches.finish();
    await collectBatches(settings, 'train');
    await writeFile(stateFile(), before);
    expect(await collectBatches(settings, 'train')).toMatchObject({ collected: 0, failed: 0 });
    const lines = (await readFile(path.join(settings.cacheDir, 'train.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(4);
  });

  it('fail with the server’s message and without the key', async () => {
    const wrong = { ...settings, apiKey: 'sk-wrong-0123456789abcdefghij' };
    await expect(submitBatches(wrong, chunksOf(1), OPTIONS)).rejects.toThrow(/Incorrect API key provided: \[key\]/);
  });

  it('are cut to the limits of requests and bytes', () => {
    expect(packRequests(['aa', 'bb', 'cc', 'dddd', 'e'], 2, 5)).toEqual([['aa', 'bb'], ['cc'], ['dddd', 'e']]);
    expect(packRequests([])).toEqual([]);
  });
});
