// The ranking losses' values and gradients, against sentence-transformers' (made by test/interop/make_loss_fixtures.py).
import fs from 'node:fs';
import path from 'node:path';
import { type Loss, multipleNegativesRankingLoss, tf } from 'finetune-embedding';
import { maskFalseNegatives, selfGuided } from 'finetune-embedding/dist/extras/false-negatives.js';
import { matryoshka } from 'finetune-embedding/dist/extras/matryoshka.js';
import { symmetricRankingLoss } from 'finetune-embedding/dist/extras/symmetric-ranking.js';
import { type Method, PLAIN } from 'finetune-embedding/dist/train/learner.js';
import { cosineSimilarities, type LossBatch } from 'finetune-embedding/dist/train/ranking-loss.js';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../fixtures/engine';

interface Reference {
  pairs: number;
  hidden: number;
  inputs: Record<'questions' | 'positives' | 'guideQuestions' | 'guidePositives' | 'guideNegatives', number[]> & {
    negatives: number[][];
  };
  cases: Record<string, { loss: number; questions: number[]; columns: number[] }>;
}

const reference: Reference = JSON.parse(fs.readFileSync(path.resolve('test/fixtures/losses/losses.json'), 'utf8'));
const { inputs, pairs, hidden } = reference;
const matrix = (...parts: number[][]) => tf.tensor2d(parts.flat(), [parts.length * pairs, hidden]);
const PAIRS = [inputs.positives];
const TRIPLETS = [inputs.positives, inputs.negatives[0]];

const batchOf = (columns: number[][]): LossBatch => ({
  targets: Int32Array.from({ length: pairs }, (_, i) => i),
  knownPositives: [],
  columns: columns.length * pairs,
});

/** Masks as the fixture's guide sees it, then the plain loss. */
const guidedBy = (strategy: 'absolute' | 'relative', margin: number): Loss => {
  const similarities = tf.tidy(() =>
    cosineSimilarities(matrix(inputs.guideQuestions), matrix(inputs.guidePositives, inputs.guideNegatives)).dataSync(),
  ) as Float32Array;
  return (questions, columns, batch) =>
    multipleNegativesRankingLoss(questions, columns, maskFalseNegatives(batch, similarities, { margin, strategy }));
};

/** What training by `matryoshka` takes in the place of a loss. */
const matryoshkaLoss = (loss: Loss, dims: number[]): Loss => matryoshka({ dims })({ loss } as Method).loss;

describe('ranking losses are what sentence-transformers computes', () => {
  it.each<[string, number[][], () => Loss]>([
    ['pairs', PAIRS, () => multipleNegativesRankingLoss],
    ['symmetric', PAIRS, () => symmetricRankingLoss],
    ['triplet', TRIPLETS, () => multipleNegativesRankingLoss],
    ['twoNegatives', [inputs.positives, ...inputs.negatives], () => multipleNegativesRankingLoss],
    ['symmetricTriplet', TRIPLETS, () => symmetricRankingLoss],
    ['matryoshkaSymmetric', PAIRS, () => matryoshkaLoss(symmetricRankingLoss, [16, 4])],
    ['guided', TRIPLETS, () => guidedBy('absolute', 0)],
    ['guidedAbsolute', TRIPLETS, () => guidedBy('absolute', 0.2)],
    ['guidedRelative', TRIPLETS, () => guidedBy('relative', 0.3)],
    ['selfGuided', TRIPLETS, () => selfGuided({ margin: 0.1, strategy: 'absolute' })(PLAIN).loss],
  ])('%s: value and gradients', (name, columns, loss) => {
    const expected = reference.cases[name];
    const before = tf.memory().numTensors;
    const own = tf.tidy(() => {
      const { value, grads } = tf.valueAndGrads((q: tf.Tensor, c: tf.Tensor) =>
        loss()(q as tf.Tensor2D, c as tf.Tensor2D, batchOf(columns)),
      )([matrix(inputs.questions), matrix(...columns)]);
      return { loss: value.dataSync()[0], questions: grads[0].dataSync(), columns: grads[1].dataSync() };
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(Math.abs(own.loss / expected.loss - 1)).toBeLessThan(1e-5);
    expect(relativeError(own.questions, expected.questions)).toBeLessThan(1e-5);
    expect(relativeError(own.columns, expected.columns)).toBeLessThan(1e-5);
  });

  it('the cases differ, so that no filter passes by doing nothing', () => {
    const values = Object.values(reference.cases).map(({ loss }) => loss.toFixed(4));
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('symmetricRankingLoss', () => {
  /** Half the rows' and half the columns' −log softmax in plain 64-bit arithmetic. */
  function expected(scores: number[][], targets: number[], skipped: [number, number][]): number {
    const terms = scores.map((row, i) => {
      const isOut = (question: number, column: number) => skipped.some(([q, c]) => q === question && c === column);
      const target = targets[i];
      const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
      const forward = sum(row.map((score, column) => (isOut(i, column) ? 0 : Math.exp(score))));
      const backward = sum(
        scores.map((other, j) =>
          isOut(j, target) || (j !== i && targets[j] === target) ? 0 : Math.exp(other[target]),
        ),
      );
      return (Math.log(forward / Math.exp(row[target])) + Math.log(backward / Math.exp(row[target]))) / 2;
    });
    return terms.reduce((a, b) => a + b) / terms.length;
  }

  it('does not hold a chunk’s other questions, or known positives, against it', () => {
    tf.tidy(() => {
      const questions = tf.tensor2d(inputs.questions.slice(0, 4 * hidden), [4, hidden]);
      const columns = tf.tensor2d(inputs.positives.slice(0, 3 * hidden), [3, hidden]);
      const scores = tf.mul(cosineSimilarities(questions, columns), 20).arraySync() as number[][];
      const known: [number, number][] = [[3, 0]];
      const targets = [0, 0, 1, 2];
      const batch = { targets: Int32Array.from(targets), knownPositives: known, columns: 3 };
      const value = symmetricRankingLoss(questions, columns, batch).dataSync()[0];
      expect(value).toBeCloseTo(expected(scores, targets, known), 5);
      expect(value).not.toBeCloseTo(expected(scores, targets, []), 4);
    });
  });
});

describe('matryoshka', () => {
  it('refuses dimensions that make no sense', () => {
    const wrap = (dims: number[]) => () => matryoshkaLoss(multipleNegativesRankingLoss, dims);
    expect(wrap([])).toThrow('dims is empty');
    expect(wrap([8, 0])).toThrow('0 in dims');
    expect(wrap([8, 2.5])).toThrow('2.5 in dims');
    const run = () => wrap([32])()(matrix(inputs.questions), matrix(inputs.positives), batchOf(PAIRS));
    expect(() => tf.tidy(run)).toThrow('32 in dims exceeds the 16');
  });
});
