import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AnswerCache, answerKey, type CachedAnswer } from 'finetune-embedding/dist/questions/answer-cache.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cache-'));
  file = path.join(dir, 'deep', 'train.jsonl');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const record = (key: string, answer: string): CachedAnswer => ({ key, chunk: 'c', model: 'm', answer });
async function readAll(): Promise<CachedAnswer[]> {
  const seen: CachedAnswer[] = [];
  await new AnswerCache(file).read((answer) => seen.push(answer));
  return seen;
}

describe('AnswerCache', () => {
  it('gives back what was appended, whatever is in it, in order', async () => {
    const answers = ['line\nbreak', 'separators \u2028 and \u2029', '"quotes"', '', 'x'.repeat(10 * 2 ** 20)];
    const records = answers.map((answer, i) => record(`k${i}`, answer));
    const cache = new AnswerCache(file);
    await cache.read(() => expect.fail('it is empty'));
    await Promise.all(records.map((one) => cache.append(one)));
    expect(await readAll()).toEqual(records);
  });

  it('cuts off a torn last line, even a long one, and goes on behind the last whole one', async () => {
    const cache = new AnswerCache(file);
    await cache.read(() => {});
    await cache.append(record('k1', 'one'));
    const whole = await readFile(file, 'utf8');
    await appendFile(file, JSON.stringify(record('k2', 'y'.repeat(200_000))).slice(0, -5));
    expect(await readAll()).toEqual([record('k1', 'one')]);
    expect(await readFile(file, 'utf8')).toBe(whole);
  });

  it('keeps a last line that lacks only its end', async () => {
    await new AnswerCache(file).read(() => {});
    await writeFile(file, JSON.stringify(record('k1', 'one')));
    const cache = new AnswerCache(file);
    await cache.read(() => {});
    await cache.append(record('k2', 'two'));
    expect((await readAll()).map(({ key }) => key)).toEqual(['k1', 'k2']);
  });

  it('passes over lines that are not answers', async () => {
    await new AnswerCache(file).read(() => {});
    await writeFile(file, `nonsense\n{"key": 7}\n\n${JSON.stringify(record('k', 'yes'))}\n`);
    expect(await readAll()).toEqual([record('k', 'yes')]);
  });
});

describe('answerKey', () => {
  it('depends on every part and not on their order', () => {
    const key = answerKey({ message: 'a', model: 'b' });
    expect(answerKey({ model: 'b', message: 'a' })).toBe(key);
    expect(answerKey({ message: 'b', model: 'a' })).not.toBe(key);
    expect(answerKey({ message: 'a', model: 'b', temperature: 0 })).not.toBe(key);
  });
});
