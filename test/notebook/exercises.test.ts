// The checks of the exercises: right answers are right, and the usual mistakes get the hint that helps.
import { check, type EvaluationResult, evaluateRanking } from 'finetune-embedding';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';

let write: MockInstance;
beforeEach(() => {
  write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());

/** What the checks have said so far, and forgets it. */
function said(): string[] {
  const lines = write.mock.calls.map(([text]) => String(text).trim());
  write.mockClear();
  return lines;
}

const data = {
  queries: { q1: 'the boat', q2: 'a lamp', q3: 'rye bread' },
  corpus: { a: 'the boat sails', b: 'a lamp burns', c: 'rye bread is dark' },
  relevantDocs: { q1: ['a'], q2: ['b'], q3: ['c'] },
};
const ranking = (...ids: string[]) => ids.map((id, i) => ({ id, score: 1 - i / 10 }));
/** Ranks 1, 2 and not found, of which the first `topK` are hits. */
const evaluated = (name: string, topK: number): EvaluationResult =>
  evaluateRanking([ranking('a'), ranking('c', 'b'), ranking('a')], data, { name, topK });

describe('check', () => {
  it("waits for an answer, under the exercise's number", () => {
    check.shareNeverRead(undefined, [600], 512);
    check.sharedWords(() => undefined, [], new Map());
    check.examQuestion(undefined, 'a', data.corpus);
    check.stepsOfTenEpochs(undefined, 30, 3);
    check.cosine(() => undefined);
    check.lossOfOne(() => undefined, [], []);
    check.meanReciprocalRank(() => undefined, evaluated('base', 1));
    check.moreThanLuck(undefined, evaluated('a', 1), evaluated('b', 1));
    check.keywordsWin(undefined, evaluated('BM25', 1), evaluated('m', 1));
    expect(said()).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3].map((number) => `Exercise ${number}: not answered yet.`));
  });

  it('knows the share that is never read, and a percentage', () => {
    for (const answer of [88 / 700, 12.6, 0.9]) check.shareNeverRead(answer, [600, 100], 512);
    expect(said()).toEqual([
      'Right, 12.6%. A smaller CHUNK_SIZE makes it less.',
      expect.stringContaining('in percent?'),
      expect.stringContaining('88 lie beyond 512'),
    ]);
  });

  it('counts shared words as words, in capitals or not', () => {
    const words = (text: string) => text.toLowerCase().match(/\w+/g) ?? [];
    const share = (list: string[], of: string) => list.filter((word) => of.includes(word)).length / list.length;
    const chunks = [{ id: 'a', text: 'the boat sails' }];
    const questions = new Map([['a', ['the boat', 'the lamp']]]);
    check.sharedWords((question, chunk) => share(words(question), words(chunk).join(' ')), chunks, questions);
    check.sharedWords((question, chunk) => share(question.split(' '), chunk), chunks, questions);
    check.sharedWords(() => 0.75, chunks, questions);
    const [right, capitals, other] = said();
    expect(right).toBe("Right. Of the training questions' words, 75% do.");
    expect(capitals).toContain('alike?');
    expect(other).toContain('whole ones?');
  });

  it('has keyword search look for the chunk that a question is about', () => {
    for (const question of ['boat', 'lamp burns boat', 'zebra']) check.examQuestion(question, 'a', data.corpus);
    expect(said()).toEqual([
      expect.stringMatching(/^Right/),
      expect.stringContaining('at place 2'),
      expect.stringContaining('not found at all'),
    ]);
  });

  it('counts steps, and sees which mistake was made', () => {
    for (const answer of [100, 300, 7]) check.stepsOfTenEpochs(answer, 30, 3);
    expect(said()).toEqual([
      'Right: 10 batches an epoch. With BATCH_SIZE doubled, half as many.',
      expect.stringContaining('shows 3 epochs, not one'),
      expect.stringMatching(/^Not yet/),
    ]);
  });

  it('wants a cosine that forgets lengths', () => {
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    check.cosine((a, b) => dot(a, b) / (Math.hypot(...a) * Math.hypot(...b)));
    check.cosine(dot);
    check.cosine((a, b) => dot(a, b) / 25);
    expect(said()).toEqual([
      expect.stringMatching(/^Right: 0\.96/),
      expect.stringContaining('24 is the sum of products'),
      expect.stringContaining('not 24 / (5 × 5)'),
    ]);
  });

  it('computes the loss of the matrices by the answer', () => {
    const loss = (scale: number, sign: number) => (row: number[], right: number) =>
      sign * Math.log(Math.exp(scale * row[right]) / row.reduce((sum, value) => sum + Math.exp(scale * value), 0));
    const [before, after] = [[[0.5, 0.5]], [[1, 0]]];
    check.lossOfOne(loss(20, -1), before, after);
    check.lossOfOne(loss(1, -1), before, after);
    check.lossOfOne(loss(20, 1), before, after);
    expect(said()).toEqual([
      'Right. Of the matrices above: 0.693 before, 0.000 after.',
      expect.stringContaining('by 20 first'),
      expect.stringContaining('minus sign'),
    ]);
  });

  it('averages reciprocal ranks over all questions', () => {
    const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
    const base = evaluated('base', 1);
    check.meanReciprocalRank((ranks) => mean(ranks.map((rank) => 1 / (rank ?? Number.POSITIVE_INFINITY))), base);
    check.meanReciprocalRank((ranks) => mean(ranks.flatMap((rank) => (rank ? [1 / rank] : []))), base);
    expect(said()).toEqual([
      'Right. Of the base model: 0.500. Compare with MRR@10 in the table.',
      expect.stringContaining('not found counts too'),
    ]);
  });

  it('holds the interval of a difference against the answer', () => {
    const [a, b] = [evaluated('a', 1), evaluated('b', 1)];
    check.moreThanLuck(false, a, b);
    check.moreThanLuck(true, a, b);
    expect(said()).toEqual(['Right: 0.000 to 0.000 holds 0.', expect.stringMatching(/^Not yet/)]);
  });

  it('finds the questions that keywords win', () => {
    const keywords = evaluateRanking([ranking('a'), ranking('b'), ranking('a', 'c')], data, { name: 'BM25', topK: 1 });
    const model = evaluated('fine-tuned', 1);
    for (const answer of ['a lamp', 'rye bread', 'other']) check.keywordsWin(answer, keywords, model);
    check.keywordsWin('a lamp', model, model);
    expect(said()).toEqual([
      'Right. There are 1 of them.',
      'Not yet: BM25 has its chunk at 2, fine-tuned at null.',
      expect.stringContaining('Copy it from perQuery'),
      expect.stringContaining('There is no such question'),
    ]);
  });
});
