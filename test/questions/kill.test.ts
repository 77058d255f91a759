import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLlmGenerator } from 'finetune-embedding/dist/questions/llm-generator.js';
import { expect, it } from 'vitest';
import { FakeOpenAI } from './fake-openai';

const COUNT = 300;

it('a run killed with SIGKILL goes on where it was: answers on disk are never asked again', async () => {
  const cacheDir = await mkdtemp(path.join(tmpdir(), 'questions-'));
  const server = await FakeOpenAI.start({ delay: 10 });
  try {
    const script = path.join(__dirname, 'generate-child.mts');
    const child = spawn(process.execPath, [script, server.url, cacheDir, String(COUNT)], { stdio: 'inherit' });
    while (server.calls.length < COUNT / 2) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    expect((await once(child, 'exit'))[1]).toBe('SIGKILL');

    const file = path.join(cacheDir, 'corpus.jsonl');
    const kept = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).chunk);
    expect(kept.length).toBeGreaterThan(COUNT / 4);
    // What a kill in the middle of a write leaves.
    await appendFile(file, '{"key":"0123","chunk":"c299","answer":"{\\"quest');

    const before = server.calls.length;
    const chunks = Array.from({ length: COUNT }, (_, i) => ({ id: `c${i}`, text: `Chapter${i} tells of ${i}.` }));
    const generator = createLlmGenerator({ model: 'm', baseURL: server.url, cacheDir });
    const { questions, summary } = await generator.generate(chunks, { questionsPerChunk: 2 });
    const askedAgain = server.calls.slice(before).map((call) => /Chapter(\d+)/.exec(call.passage!)![1]);
    expect(askedAgain.map((n) => `c${n}`).filter((id) => kept.includes(id))).toEqual([]);
    expect(summary).toMatchObject({ asked: COUNT - kept.length, answered: COUNT });
    expect([...questions.values()].every((list) => list.length === 2)).toBe(true);
    // The next run finds them all, the torn line apart.
    expect((await generator.generate(chunks, { questionsPerChunk: 2 })).summary).toMatchObject({ asked: 0 });
  } finally {
    await server.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
});
