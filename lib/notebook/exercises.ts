// In: a reader's answer to an exercise. Out: a remark below the cell: right, or a hint at what is amiss.
import { Bm25Index } from '../evaluate/bm25-index';
import type { EvaluationResult } from '../evaluate/evaluation';
import { compareResults } from '../evaluate/significance';
import { note } from './output';

const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
const mean = (numbers: (number | undefined)[]): number => sum(numbers.map((value) => value ?? 0)) / numbers.length;
const isNear = (value: number, expected: number, tolerance = 1e-6): boolean => Math.abs(value - expected) < tolerance;

/** Shows the remark on an answer, or that there is none yet. */
const exercise = <A>(number: number, answer: A | undefined, remark: (answer: A) => string): void =>
  note(answer === undefined ? `Exercise ${number}: not answered yet.` : remark(answer));

/** The checks of the notebooks' exercises: each takes the reader's answer first, and shows what is to be said of it. */
export const check = {
  /** generate_dataset 1: the share, from 0 to 1, of all word pieces that lies beyond the encoder's limit. */
  shareNeverRead: (given: number | undefined, lengths: number[], limit: number) =>
    exercise(1, given, (answer) => {
      const share = sum(lengths.map((length) => Math.max(0, length - limit))) / sum(lengths);
      if (isNear(answer, share, 0.01))
        return `Right, ${(100 * share).toFixed(1)}%. A smaller CHUNK_SIZE makes it less.`;
      if (answer > 1) return 'Not yet: a share lies between 0 and 1. Is yours in percent?';
      return 'Not yet: of 600 word pieces, 88 lie beyond 512. Add up, divide by all of them.';
    }),

  /** generate_dataset 2: the share of a question's words that occur in a chunk: here "the" and "boat". */
  sharedWords: (
    answer: (question: string, chunk: string) => number | undefined,
    chunks: { id: string; text: string }[],
    questions: ReadonlyMap<string, string[]>,
  ) =>
    exercise(2, answer('Who sails the boat?', 'The BOAT, an old one, lies in port.'), (share) => {
      if (isNear(share, 0.5)) {
        const shares = chunks.flatMap(({ id, text }) => (questions.get(id) ?? []).map((each) => answer(each, text)));
        return `Right. Of the training questions' words, ${(100 * mean(shares)).toFixed(0)}% do.`;
      }
      const hint =
        share < 0.5
          ? 'Are "The" and "the", "boat?" and "BOAT," alike?'
          : 'Does it count words of the question, whole ones?';
      return `Not yet: of "Who sails the boat?", half occur in "The BOAT, an old one, lies in port.", not ${share}. ${hint}`;
    }),

  /** generate_dataset 3: a question that leads keyword search to the chunk. */
  examQuestion: (given: string | undefined, chunkId: string, corpus: Record<string, string>) =>
    exercise(3, given, (answer) => {
      const [ranking] = new Bm25Index(corpus).rank([answer], Number.POSITIVE_INFINITY);
      const place = ranking.findIndex(({ id }) => id === chunkId) + 1;
      if (place === 1) return 'Right: its chunk comes first. Now ask the same in words that the chunk does not use.';
      if (place === 0) return 'Its chunk is not found at all: they share no word. Would an embedding model find it?';
      return `Its chunk comes at place ${place}: others fit too. Name what only this one is about.`;
    }),

  /** finetune 1: the steps of ten epochs. */
  stepsOfTenEpochs: (given: number | undefined, totalSteps: number, epochs: number) =>
    exercise(1, given, (answer) => {
      const anEpoch = totalSteps / epochs;
      if (answer === 10 * anEpoch) return `Right: ${anEpoch} batches an epoch. With BATCH_SIZE doubled, half as many.`;
      if (answer === 10 * totalSteps) return `Not yet: the curve's axis shows ${epochs} epochs, not one.`;
      return 'Not yet: an epoch has as many steps as it takes batches to hold all chunks once.';
    }),

  /** finetune 2: the cosine similarity of two vectors. */
  cosine: (answer: (a: number[], b: number[]) => number | undefined) =>
    exercise(2, answer([3, 4], [4, 3]), (value) => {
      const ofLonger = answer([30, 40], [4, 3]) ?? 0; // a vector's length must not matter
      if (isNear(value, 0.96) && isNear(ofLonger, 0.96))
        return 'Right: 0.96, however long the vectors are. That is what each cell of the matrix shows.';
      if (value === 24) return 'Not yet: 24 is the sum of products. Divide it by the lengths of both vectors.';
      return `Not yet: [3, 4] and [4, 3], both of length 5, give ${value}, not 24 / (5 × 5).`;
    }),

  /** finetune 3: the loss of one question among a batch's chunks. */
  lossOfOne: (
    answer: (similarities: number[], right: number) => number | undefined,
    before: number[][],
    after: number[][],
  ) =>
    exercise(3, answer([0.4, 0.5, 0.1], 1), (loss) => {
      if (isNear(loss, Math.log(1 + Math.exp(-2) + Math.exp(-8)))) {
        const [was, is] = [before, after].map((rows) => mean(rows.map(answer)));
        return `Right. Of the matrices above: ${was.toFixed(3)} before, ${is.toFixed(3)} after.`;
      }
      if (isNear(loss, Math.log(1 + Math.exp(-0.1) + Math.exp(-0.4))))
        return 'Nearly: multiply each similarity by 20 first, or the loss never comes near 0.';
      if (loss < 0) return 'Nearly: the logarithm of a share is negative. Mind the minus sign in front.';
      return `Not yet: it gives ${loss.toFixed(4)}. One share a question: its own power over all.`;
    }),

  /** evaluate 1: the mean reciprocal rank of a list of ranks, null where nothing was found. */
  meanReciprocalRank: (answer: (ranks: (number | null)[]) => number | undefined, base: EvaluationResult) =>
    exercise(1, answer([1, 2, null]), (value) => {
      if (isNear(value, 0.5)) {
        const ranks = base.perQuery.map(({ rank }) => (rank !== null && rank <= 10 ? rank : null));
        return `Right. Of the base model: ${answer(ranks)?.toFixed(3)}. Compare with MRR@10 in the table.`;
      }
      if (isNear(value, 0.75)) return 'Nearly: a question whose chunk is not found counts too, as 0.';
      return `Not yet: 1, 2, null give 1/1, 1/2 and 0, whose mean is 0.5, not ${value}.`;
    }),

  /** evaluate 2: whether a difference's interval leaves out 0. */
  moreThanLuck: (given: boolean | undefined, before: EvaluationResult, after: EvaluationResult) =>
    exercise(2, given, (answer) => {
      const { low, high } = compareResults(before, after).difference;
      const leavesOutZero = low > 0 || high < 0;
      if (answer !== leavesOutZero)
        return 'Not yet: look at low and high of the difference. Do they lie on the same side of 0?';
      return `Right: ${low.toFixed(3)} to ${high.toFixed(3)} ${leavesOutZero ? 'leaves out' : 'holds'} 0.`;
    }),

  /** evaluate 3: a question that keyword search answers first and the model does not find. */
  keywordsWin: (given: string | undefined, keywords: EvaluationResult, model: EvaluationResult) =>
    exercise(3, given, (answer) => {
      const won = keywords.perQuery.filter(({ rank }, i) => rank === 1 && !model.perQuery[i].isHit);
      if (won.some(({ query }) => query === answer)) return `Right. There are ${won.length} of them.`;
      if (won.length === 0) return 'There is no such question with these data and settings. Try TOP_K = 1.';
      const asked = model.perQuery.findIndex(({ query }) => query === answer);
      if (asked < 0) return 'Not yet: no question has exactly this text. Copy it from perQuery.';
      const [byKeywords, byModel] = [keywords.perQuery[asked].rank, model.perQuery[asked].rank];
      return `Not yet: ${keywords.name} has its chunk at ${byKeywords}, ${model.name} at ${byModel}.`;
    }),
};
