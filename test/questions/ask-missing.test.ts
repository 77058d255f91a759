import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLedger as open } from 'finetune-embedding/dist/questions/ledger.js';
import type { ChatRequest } from 'finetune-embedding/dist/questions/llm-client.js';
import { askMissing } from 'finetune-embedding/dist/questions/llm-generator.js';
import { parseAnswer } from 'finetune-embedding/dist/questions/parse-answer.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The very class that the library loads: `instanceof` tells.
const { StopError } = createRequire(__filename)('finetune-embedding/dist/common/patient-calls.js');

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'ask-'));
});
afterEach(() => rm(cacheDir, { recursive: true }));

const openLedger = () => {
  const chunks = ['a', 'b', 'c', 'd'].map((id) => ({ id, text: `Pier ${id}.` }));
  const format = { type: 'json_schema' as const, json_schema: { name: 'piers', strict: true, schema: {} } };
  const task = { message: ({ id }: { id: string }) => id, format, read: (answer: string) => parseAnswer(answer, 1) };
  return open({ model: 'm', cacheDir, task }, chunks, { questionsPerChunk: 1 });
};
const idIn = ({ messages }: ChatRequest) => String(messages[0].content);
const answerTo = (request: ChatRequest) => ({ text: `Where is pier ${idIn(request)}?` });
const keptChunks = async () =>
  (await readFile(path.join(cacheDir, 'corpus.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).chunk);

describe('askMissing', () => {
  it('rejects after the answers under way are on disk, and starts no other', async () => {
    const asked: string[] = [];
    const ask = async (request: ChatRequest) => {
      const id = idIn(request);
      asked.push(id);
      await new Promise((resolve) => setTimeout(resolve, id === 'a' ? 10 : 40));
      if (id === 'a') throw new StopError('the money is spent');
      return answerTo(request);
    };
    await expect(askMissing(openLedger(), () => ({ ask }), { concurrency: 2 }, {})).rejects.toThrow(
      'Stopped; answers so far are kept. the money is spent',
    );
    expect(asked).toEqual(['a', 'b']);
    expect(await keptChunks()).toEqual(['b']);
  });

  it('rejects with what a progress bar throws', async () => {
    const ask = async (request: ChatRequest) => answerTo(request);
    const onProgress = ({ done }: { done: number }) => {
      if (done === 1) throw new Error('no display');
    };
    const asking = askMissing(openLedger(), () => ({ ask }), { concurrency: 1 }, { onProgress });
    await expect(asking).rejects.toThrow('no display');
    expect(await keptChunks()).toEqual(['a']);
  });
});
