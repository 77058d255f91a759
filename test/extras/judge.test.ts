import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GatedQuestions } from 'finetune-embedding';
import { judgementHistogram, judgementRows, judgeQuestions } from 'finetune-embedding/extras';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeOpenAI } from '../questions/fake-openai';

const CHUNKS = ['a', 'b', 'c'].map((id) => ({ id, text: `Pier ${id} is ${id.charCodeAt(0)} metres long.` }));
const MARKS: Record<string, string> = {
  a: '{"answerable": 9, "understandable": 8, "worth_asking": 10}',
  b: '```json\n{"answerable": 9, "understandable": 2, "worth_asking": 7}\n```',
  c: 'I would rather not say.',
};
const asked: GatedQuestions = {
  questions: new Map(CHUNKS.map(({ id }) => [id, [`How long is pier ${id}?`]])),
  summary: {
    asked: 3,
    answered: 3,
    empty: 0,
    underFilled: 0,
    unparsable: 0,
    failed: 0,
    dropped: {},
  },
  dropped: [],
};

describe('judgeQuestions', () => {
  let cacheDir: string;
  let server: FakeOpenAI;
  beforeEach(async () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    cacheDir = await mkdtemp(path.join(tmpdir(), 'judge-'));
    server = await FakeOpenAI.start({ answer: (passage) => MARKS[/Pier (.)/.exec(passage)![1]] });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await server.close();
    await rm(cacheDir, { recursive: true });
  });

  it('keeps what has no low mark, and what has none at all; and pays for a mark once', async () => {
    const settings = { model: 'judge', cacheDir, baseURL: server.url };
    const { result, judgements } = await judgeQuestions(asked, CHUNKS, settings);
    expect(judgements).toEqual([
      { question: 'How long is pier a?', marks: [9, 8, 10], lowest: 8 },
      { question: 'How long is pier b?', marks: [9, 2, 7], lowest: 2 },
    ]);
    expect([...result.questions.values()]).toEqual([['How long is pier a?'], [], ['How long is pier c?']]);
    expect(result.summary.dropped).toEqual({ 'judged below 7': 1 });
    const { chunkId, detail } = result.dropped[0];
    expect([chunkId, detail]).toEqual(['b', '9, 2, 7']);
    const message = server.calls[0].body.messages![0].content;
    expect(message).toContain('Query: How long is pier a?\n\nPassage:\n"""\nPier a is 97 metres long.\n"""');
    const calls = server.calls.length;
    expect((await judgeQuestions(asked, CHUNKS, settings)).judgements).toEqual(judgements);
    expect(server.calls).toHaveLength(calls);
  });

  it('shows both sides', () => {
    const judgements = [8, 2, 7, 10, 0, 7].map((lowest) => ({
      question: `q${lowest}`,
      marks: [10, lowest, 10],
      lowest,
    }));
    const [[{ y }]] = judgementHistogram(judgements);
    expect(y).toEqual([1, 0, 1, 0, 0, 0, 0, 2, 1, 0, 1]);
    expect(judgementRows(judgements, 2).map(({ question }) => question)).toEqual(['q0', 'q2', 'q8', 'q10']);
  });
});
