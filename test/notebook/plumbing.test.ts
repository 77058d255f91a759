// What the notebooks have done for them: asking with an account, rows for tables, windows that fit, runs that compare.
import {
  askWithProgress,
  comparableRuns,
  comparisonRows,
  costRows,
  datasetToMeasure,
  type EmbedderEvaluation,
  type EmbeddingModel,
  evaluateRanking,
  fitWindows,
  type GatedQuestions,
  groupRows,
  type QuestionGenerator,
  showAccount,
  showCost,
  windowRow,
} from 'finetune-embedding';
import type { LoggedRun } from 'finetune-embedding/dist/evaluate/result-files.js';
import type { GenerationResult } from 'finetune-embedding/dist/questions/generator.js';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';

let write: MockInstance;
beforeEach(() => {
  write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());
const printed = () => write.mock.calls.map(([text]) => String(text)).join('');

const chunks = [
  { id: 'a', text: 'The boat sails at noon.', file: 'x.pdf', page: 3 },
  { id: 'b', text: 'A lamp burns in the hall.', file: 'x.pdf', page: 4 },
];
const generated: GatedQuestions = {
  questions: new Map([
    ['a', ['When does the boat sail?']],
    ['b', []],
  ]),
  dropped: [{ chunkId: 'b', question: 'What of the <text>?', reason: 'names the context', detail: 'the <text>' }],
  summary: {
    asked: 2,
    answered: 1,
    empty: 0,
    underFilled: 1,
    unparsable: 0,
    failed: 1,
    problems: { 'no <answer>': 1 },
    dropped: { 'names the context': 2 },
  },
};
const generator = (missing?: QuestionGenerator['missing']): QuestionGenerator => ({
  description: 'test',
  ...(missing ? { missing } : {}),
  async generate(asked, { onProgress }) {
    onProgress?.({ done: asked.length, total: asked.length, failed: 1, costSoFar: 0.5, waiting: '2 at once' });
    return generated;
  },
});

describe('asking', () => {
  const dropNone = async (result: GenerationResult) => ({ ...result, dropped: [] });

  it('says in the progress what failed, what it has cost, and why it waits', async () => {
    const asked = await askWithProgress('Questions', generator(), chunks, { questionsPerChunk: 2 }, dropNone);
    expect(asked.questions).toEqual(generated.questions);
    expect(printed()).toMatch(/Questions: 2 in .* · 1 failed, \$0\.500 so far, 2 at once/);
  });

  it('has a model asked once more about chunks that the gate left without, and keeps what was kept', async () => {
    const asked: unknown[] = [];
    const model: QuestionGenerator = {
      description: 'test',
      missing: async () => [],
      async generate(about, { refused }) {
        asked.push([about.map(({ id }) => id), refused?.get('b')]);
        const questions = new Map(about.map(({ id, text }) => [id, [refused ? 'What burns?' : text]]));
        return {
          ...generated,
          questions,
          styles: new Map(about.map(({ id }) => [id, refused ? 'question' : 'claim'])),
        };
      },
    };
    const gate = async (result: GenerationResult): Promise<GatedQuestions> => {
      const lamps = (text: string) => text.startsWith('A lamp');
      const questions = new Map([...result.questions].map(([id, list]) => [id, list.filter((one) => !lamps(one))]));
      const lost = [...result.questions].flatMap(([chunkId, list]) =>
        list.filter(lamps).map((question) => ({ chunkId, question, reason: 'a lamp', detail: '' })),
      );
      return { ...result, questions, dropped: lost };
    };
    const result = await askWithProgress('Questions', model, chunks, { questionsPerChunk: 1 }, gate);
    expect(asked).toEqual([
      [['a', 'b'], undefined],
      [['b'], ['A lamp burns in the hall.']],
    ]);
    expect(Object.fromEntries(result.questions)).toEqual({ a: ['The boat sails at noon.'], b: ['What burns?'] });
    expect(Object.fromEntries(result.styles!)).toEqual({ a: 'claim', b: 'question' });
    expect(result.dropped).toHaveLength(1);
    expect(result.summary.asked).toBe(4);
  });

  it('accounts for every chunk and question', () => {
    showAccount(chunks, generated);
    const text = printed();
    expect(text).toMatch(/chunks +asked +answered +too few +empty +unparsable +failed +questions kept/);
    expect(text).toMatch(/ 2 +2 +1 +1 +0 +0 +1 +1/);
    expect(text).toContain('1 failed: no <answer>');
    expect(text).toMatch(/Dropped questions[\s\S]*names the context +2 +What of the <text>\? \(the <text>\)/);
    expect(text).toMatch(/Chunks without questions[\s\S]*x\.pdf +4 +A lamp burns/);
  });

  it('tells the cost of what is missing in all corpora', async () => {
    const price = { inputPerMillion: 1_000_000, outputPerMillion: 0 };
    const options = { questionsPerChunk: 2, price };
    await showCost(
      generator(async (asked, { corpus }) => (corpus === 'val' ? asked : [])),
      { train: chunks, val: chunks.slice(1) },
      options,
    );
    const [, calls, all, tokens, dollars] = /(\d+) of (\d+) chunks[\s\S]*Some (\d+) tokens in .*\$([\d.]+)/.exec(
      printed(),
    )!;
    expect([calls, all, dollars]).toEqual(['1', '3', `${tokens}.00`]);
    await showCost(generator(), { train: chunks }, options);
    expect(printed()).toContain('Offline questions cost nothing.');
  });

  it('measures with golden questions where there are some, else with generated ones', async () => {
    const golden = [
      { question: 'When?', evidence: 'at noon', type: 'when', section: 'Boats' },
      { question: 'Where to?', evidence: 'to the isle', type: 'where', section: 'Boats' },
    ];
    const never = () => Promise.reject(new Error('not asked'));
    const measured = await datasetToMeasure(chunks, golden, never);
    expect(Object.values(measured.queries)).toEqual(['When?']);
    expect(printed()).toContain('No chunk holds the evidence of: Where to?');
    const asked = await datasetToMeasure(chunks, [], async () => generated);
    expect(Object.values(asked.queries)).toEqual(['When does the boat sail?']);
  });
});

describe('rows', () => {
  const data = {
    queries: { q1: 'one', q2: 'two', q3: 'three' },
    corpus: { a: 'x', b: 'y' },
    relevantDocs: { q1: ['a'], q2: ['a'], q3: ['b'] },
  };
  const evaluated = (name: string, ids: string[]) =>
    evaluateRanking(
      ids.map((id) => [{ id, score: 1 }]),
      data,
      { name, topK: 1 },
    );
  const [before, after] = [evaluated('base', ['a', 'b', 'a']), evaluated('tuned', ['a', 'a', 'a'])];

  it('comparisonRows names the two, their difference and its interval', () => {
    const [row, ...more] = comparisonRows(before, after, ['hitRate']);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ metric: 'hit rate@1', base: 1 / 3, tuned: 2 / 3 });
    expect(row.difference).toBeCloseTo(1 / 3, 12);
    expect(row['95% interval']).toMatch(/^-?\d\.\d{3} to \d\.\d{3}$/);
  });

  it('groupRows puts the largest group first', () => {
    const rows = groupRows('type', before, after, ({ query }) => (query === 'three' ? 'why' : 'what'));
    expect(rows.map(({ type, questions }) => [type, questions])).toEqual([
      ['what', 2],
      ['why', 1],
    ]);
    expect(rows[0]).toMatchObject({ 'base: hit rate@1': 0.5, 'tuned: hit rate@1': 1, 'tuned: MAP@100': 1 });
  });

  it('costRows counts vectors and kilobytes a chunk, and milliseconds', () => {
    const cost = { indexSeconds: 1.5, queryMilliseconds: 2.4, vectors: 7, indexBytes: 10_240 };
    const documents = { owners: Int32Array.from([0, 0, 0, 0, 1, 1, 1]) };
    const evaluation = { name: 'base', cost, documents, metrics: { 'MAP@100': 0.5 } } as EmbedderEvaluation;
    const row = { 'vectors a chunk': 4, 'KB a chunk': 5, 'index made in s': 1.5, 'ms a question': 2, 'MAP@100': 0.5 };
    expect(costRows([evaluation])).toEqual([{ retriever: 'base', ...row }]);
  });
});

describe('windows', () => {
  // A tokenizer of one token a letter, framed by one token on each side.
  const tokenizer = { around: { before: [1], after: [2] }, encodeWhole: (text: string) => new Int32Array(text.length) };
  const tokenizers = { tokenizer, queryTokenizer: tokenizer, documentTokenizer: tokenizer };
  const model = { ...tokenizers, maxSeqLength: 12 } as unknown as EmbeddingModel;

  it('fitWindows leaves room for the tokens around a text, and for the longer prompt', () => {
    expect(fitWindows(model, 8, 4)).toEqual({ size: 8, stride: 4 });
    expect(fitWindows(model, 94, 47)).toEqual({ size: 10, stride: 10 });
    const prompted = { ...tokenizer, around: { before: [1, 5, 6], after: [2] } };
    for (const one of ['queryTokenizer', 'documentTokenizer'])
      expect(fitWindows({ ...model, [one]: prompted } as EmbeddingModel, 94, 47)).toEqual({ size: 8, stride: 8 });
  });

  it('windowRow says what is read, and by how many vectors', () => {
    const corpus = { a: 'x'.repeat(20), b: 'x'.repeat(10) };
    expect(windowRow(model, corpus)).toEqual({
      'word pieces a chunk': 15,
      'of them read': '67%',
      'vectors a chunk, in a search': 1,
    });
    expect(windowRow(model, corpus, { size: 10, stride: 5 })).toMatchObject({
      'of them read': '100%',
      'vectors a chunk, in a search': 2,
    });
  });
});

it('comparableRuns leaves out runs on other data, and runs that lack the retriever or the metric', () => {
  const run = (day: number, data: string, results: LoggedRun['results']): LoggedRun => ({
    time: `2026-01-0${day}T10:20:30.000Z`,
    notebook: 'evaluate',
    settings: { day },
    data: { val: data },
    results,
    versions: {},
  });
  const last = run(5, 'x', { tuned: { 'MAP@100': 0.6 } });
  const log = [
    run(1, 'x', { tuned: { 'MAP@100': 0.5 } }),
    run(2, 'y', { tuned: { 'MAP@100': 0.9 } }),
    run(3, 'x', { base: { 'MAP@100': 0.4 } }),
    run(4, 'x', { tuned: { 'hit rate@5': 0.4 } }),
    last,
  ];
  expect(comparableRuns(log, last, 'tuned', 'MAP@100')).toEqual([
    { name: '01-01 10:20', score: 0.5, settings: { day: 1 } },
    { name: '01-05 10:20', score: 0.6, settings: { day: 5 } },
  ]);
});
