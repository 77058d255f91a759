import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { appendAnswer, type CachedAnswer, readAnswers } from 'finetune-embedding/dist/questions/answer-cache.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cache-'));
  file = path.join(dir, 'deep', 'train.jsonl');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const record = (key: string, answer: string): CachedAnswer => ({ key, chunk: 'c', model: 'm', answer });
const readAll = () => [...readAnswers(file)];
const append = (key: string, text: string) => appendAnswer(file, { model: 'm' }, { key, chunk: 'c' }, { text });

describe('answers on disk', () => {
  it('come back as they were appended, whatever is in them, in order', async () => {
    const answers = ['line\nbreak', 'separators \u2028 and \u2029', '"quotes"', '', 'x'.repeat(10 * 2 ** 20)];
    expect(readAll()).toEqual([]);
    expect(answers.map((answer, i) => append(`k${i}`, answer))).toEqual(answers);
    expect(readAll()).toEqual(answers.map((answer, i) => record(`k${i}`, answer)));
  });

  it('are all there around a torn line, even a long one', async () => {
    readAll();
    append('k1', 'one');
    await appendFile(file, JSON.stringify(record('k2', 'y'.repeat(200_000))).slice(0, -5));
    expect(readAll()).toEqual([record('k1', 'one')]);
    append('k3', 'three');
    expect(readAll()).toEqual([record('k1', 'one'), record('k3', 'three')]);
  });

  it('are all there around a line that lacks only its end', async () => {
    readAll();
    await writeFile(file, JSON.stringify(record('k1', 'one')));
    expect(readAll()).toEqual([record('k1', 'one')]);
    append('k2', 'two');
    expect(readAll().map(({ key }) => key)).toEqual(['k1', 'k2']);
  });

  it('are found between lines that are none', async () => {
    readAll();
    await writeFile(file, `nonsense\n{"key": 7}\n\n${JSON.stringify(record('k', 'yes'))}\n`);
    expect(readAll()).toEqual([record('k', 'yes')]);
  });
});
