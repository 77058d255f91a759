// In: a reader's answer to an exercise. Out: a remark below the cell: right, or a hint at what is amiss.
import { Bm25Index } from '../evaluate/bm25-index';
import type { EvaluationResult } from '../evaluate/evaluation';
import { compareResults } from '../evaluate/significance';
import { note } from './text';

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
const isNear = (value: number, expected: number, tolerance = 1e-6): boolean => Math.abs(value - expected) < tolerance;

function shareNeverRead(answer: number | undefined, lengths: number[], limit: number): string | undefined {
  if (answer === undefined) return undefined;
  const share = sum(lengths.map((length) => Math.max(0, length - limit))) / sum(lengths);
  if (isNear(answer, share, 0.01)) return `Right, ${(100 * share).toFixed(1)}%. A smaller CHUNK_SIZE makes it less.`;
  if (answer > 1) return 'Not yet: a share lies between 0 and 1. Is yours in percent?';
  return 'Not yet: of 600 word pieces, 88 lie beyond 512. Add up, divide by all of them.';
}

function sharedWords(
  answer: (question: string, chunk: string) => number | undefined,
  chunks: { id: string; text: string }[],
  questions: ReadonlyMap<string, string[]>,
): string | undefined {
  // "the" and "boat" occur, "who" and "sails" do not.
  const share = answer('Who sails the boat?', 'The BOAT, an old one, lies in port.');
  if (share === undefined) return undefined;
  const gives = `Not yet: of "Who sails the boat?", half occur in "The BOAT, an old one, lies in port.", not ${share}.`;
  if (isNear(share, 0.5)) {
    const shares = chunks.flatMap(({ id, text }) =>
      (questions.get(id) ?? []).map((question) => answer(question, text) ?? 0),
    );
    const mean = sum(shares) / shares.length;
    return `Right. Of the training questions' words, ${(100 * mean).toFixed(0)}% do.`;
  }
  if (share < 0.5) return `${gives} Are "The" and "the", "boat?" and "BOAT," alike?`;
  return `${gives} Does it count words of the question, whole ones?`;
}

function examQuestion(answer: string | undefined, chunkId: string, corpus: Record<string, string>): string | undefined {
  if (answer === undefined) return undefined;
  const [ranking] = new Bm25Index(corpus).rank([answer], Number.POSITIVE_INFINITY);
  const place = ranking.findIndex(({ id }) => id === chunkId) + 1;
  if (place === 1) return 'Right: its chunk comes first. Now ask the same in words that the chunk does not use.';
  if (place === 0) return 'Its chunk is not found at all: they share no word. Would an embedding model find it?';
  return `Its chunk comes at place ${place}: others fit too. Name what only this one is about.`;
}

function stepsOfTenEpochs(answer: number | undefined, totalSteps: number, epochs: number): string | undefined {
  if (answer === undefined) return undefined;
  const anEpoch = totalSteps / epochs;
  if (answer === 10 * anEpoch) return `Right: ${anEpoch} batches an epoch. With BATCH_SIZE doubled, half as many.`;
  if (answer === 10 * totalSteps) return `Not yet: the curve's axis shows ${epochs} epochs, not one.`;
  return 'Not yet: an epoch has as many steps as it takes batches to hold all chunks once.';
}

function cosine(answer: (a: number[], b: number[]) => number | undefined): string | undefined {
  const [value, ofLonger] = [answer([3, 4], [4, 3]), answer([30, 40], [4, 3])]; // a vector's length must not matter
  if (value === undefined) return undefined;
  if (isNear(value, 0.96) && isNear(ofLonger ?? 0, 0.96))
    return 'Right: 0.96, however long the vectors are. That is what each cell of the matrix shows.';
  if (value === 24) return 'Not yet: 24 is the sum of products. Divide it by the lengths of both vectors.';
  return `Not yet: [3, 4] and [4, 3], both of length 5, give ${value}, not 24 / (5 × 5).`;
}

function lossOfOne(
  answer: (similarities: number[], right: number) => number | undefined,
  before: number[][],
  after: number[][],
): string | undefined {
  const loss = answer([0.4, 0.5, 0.1], 1);
  if (loss === undefined) return undefined;
  if (isNear(loss, Math.log(1 + Math.exp(-2) + Math.exp(-8)))) {
    const [was, is] = [before, after].map((rows) => sum(rows.map((row, i) => answer(row, i) ?? 0)) / rows.length);
    return `Right. Of the matrices above: ${was.toFixed(3)} before, ${is.toFixed(3)} after.`;
  }
  if (isNear(loss, Math.log(1 + Math.exp(-0.1) + Math.exp(-0.4))))
    return 'Nearly: multiply each similarity by 20 first, or the loss never comes near 0.';
  if (loss < 0) return 'Nearly: the logarithm of a share is negative. Mind the minus sign in front.';
  return `Not yet: it gives ${loss.toFixed(4)}. One share a question: its own power over all.`;
}

function meanReciprocalRank(
  answer: (ranks: (number | null)[]) => number | undefined,
  base: EvaluationResult,
): string | undefined {
  const value = answer([1, 2, null]);
  if (value === undefined) return undefined;
  if (isNear(value, 0.5)) {
    const ranks = base.perQuery.map(({ rank }) => (rank !== null && rank <= 10 ? rank : null));
    return `Right. Of the base model: ${(answer(ranks) ?? 0).toFixed(3)}. Compare with MRR@10 in the table.`;
  }
  if (isNear(value, 0.75)) return 'Nearly: a question whose chunk is not found counts too, as 0.';
  return `Not yet: 1, 2, null give 1/1, 1/2 and 0, whose mean is 0.5, not ${value}.`;
}

function moreThanLuck(
  answer: boolean | undefined,
  before: EvaluationResult,
  after: EvaluationResult,
): string | undefined {
  if (answer === undefined) return undefined;
  const { low, high } = compareResults(before, after).difference;
  const leavesOutZero = low > 0 || high < 0;
  if (answer !== leavesOutZero)
    return 'Not yet: look at low and high of the difference. Do they lie on the same side of 0?';
  return `Right: ${low.toFixed(3)} to ${high.toFixed(3)} ${leavesOutZero ? 'leaves out' : 'holds'} 0.`;
}

function keywordsWin(
  answer: string | undefined,
  keywords: EvaluationResult,
  model: EvaluationResult,
): string | undefined {
  if (answer === undefined) return undefined;
  const won = keywords.perQuery.filter(({ rank }, i) => rank === 1 && !model.perQuery[i].isHit);
  if (won.some(({ query }) => query === answer)) return `Right. There are ${won.length} of them.`;
  if (won.length === 0) return 'There is no such question with these data and settings. Try TOP_K = 1.';
  const asked = model.perQuery.findIndex(({ query }) => query === answer);
  if (asked < 0) return 'Not yet: no question has exactly this text. Copy it from perQuery.';
  const [byKeywords, byModel] = [keywords.perQuery[asked].rank, model.perQuery[asked].rank];
  return `Not yet: ${keywords.name} has its chunk at ${byKeywords}, ${model.name} at ${byModel}.`;
}

const shown =
  <T extends unknown[]>(number: number, verdict: (...given: T) => string | undefined) =>
  (...given: T): void =>
    note(verdict(...given) ?? `Exercise ${number}: not answered yet.`);

/** The checks of the notebooks' exercises: each takes the reader's answer first, and shows what is to be said of it. */
export const check = {
  /** generate_dataset 1: the share, from 0 to 1, of all word pieces that lies beyond the encoder's limit. */
  shareNeverRead: shown(1, shareNeverRead),
  /** generate_dataset 2: the share of a question's words that occur in a chunk. */
  sharedWords: shown(2, sharedWords),
  /** generate_dataset 3: a question that leads keyword search to the chunk. */
  examQuestion: shown(3, examQuestion),
  /** finetune 1: the steps of ten epochs. */
  stepsOfTenEpochs: shown(1, stepsOfTenEpochs),
  /** finetune 2: the cosine similarity of two vectors. */
  cosine: shown(2, cosine),
  /** finetune 3: the loss of one question among a batch's chunks. */
  lossOfOne: shown(3, lossOfOne),
  /** evaluate 1: the mean reciprocal rank of a list of ranks, null where nothing was found. */
  meanReciprocalRank: shown(1, meanReciprocalRank),
  /** evaluate 2: whether a difference's interval leaves out 0. */
  moreThanLuck: shown(2, moreThanLuck),
  /** evaluate 3: a question that keyword search answers first and the model does not find. */
  keywordsWin: shown(3, keywordsWin),
};
