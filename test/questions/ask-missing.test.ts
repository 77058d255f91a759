import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { askMissing } from 'finetune-embedding/dist/questions/ask-missing.js';
import { type Entry, Ledger } from 'finetune-embedding/dist/questions/ledger.js';
import { parseAnswer } from 'finetune-embedding/dist/questions/parse-answer.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// The very class that the library loads: `instanceof` tells.
const { StopError } = createRequire(__filename)('finetune-embedding/dist/common/patient-calls.js');

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'ask-'));
});
afterEach(() => rm(cacheDir, { recursive: true }));

const OPTIONS = { questionsPerChunk: 1 };
const openLedger = () => {
  const chunks = ['a', 'b', 'c', 'd'].map((id) => ({ id, text: `Pier ${id}.` }));
  return Ledger.open(
    { model: 'm', cacheDir },
    chunks,
    OPTIONS,
    ({ id }) => id,
    (answer) => parseAnswer(answer, 1),
    1,
  );
};
const answerTo = ({ chunk }: Entry) => ({ text: `Where is ${chunk.text.slice(0, -1)}?` });
const keptKeys = async () =>
  (await readFile(path.join(cacheDir, 'corpus.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).key);

describe('askMissing', () => {
  it('rejects after the answers under way are on disk, and starts no other', async () => {
    const asked: string[] = [];
    const ask = async (entry: Entry) => {
      asked.push(entry.key);
      await new Promise((resolve) => setTimeout(resolve, entry.key === 'a' ? 10 : 40));
      if (entry.key === 'a') throw new StopError('the money is spent');
      return answerTo(entry);
    };
    await expect(askMissing(await openLedger(), { ask, concurrency: 2 }, {})).rejects.toThrow(
      'Stopped; answers so far are kept. the money is spent',
    );
    expect(asked).toEqual(['a', 'b']);
    expect(await keptKeys()).toEqual(['b']);
  });

  it('rejects with what a progress bar throws', async () => {
    const ask = async (entry: Entry) => answerTo(entry);
    const onProgress = ({ done }: { done: number }) => {
      if (done === 1) throw new Error('no display');
    };
    await expect(askMissing(await openLedger(), { ask, concurrency: 1 }, { onProgress })).rejects.toThrow('no display');
    expect(await keptKeys()).toEqual(['a']);
  });
});
