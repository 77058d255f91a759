import { tf } from 'finetune-embedding';
import { documentScores, WINDOW_TEMPERATURE } from 'finetune-embedding/dist/evaluate/vector-scores.js';
import { DEFAULT_SCALE, rankingScores } from 'finetune-embedding/dist/train/ranking-loss.js';
import { describe, expect, it } from 'vitest';

describe('documentScores', () => {
  it('softens the maximum: T · log mean exp(s / T)', () => {
    const [several, one, none] = documentScores([0.5, 0.6, 0.3, 0.4], [0, 1, 0, 0], 3, 0.1);
    expect(several).toBeCloseTo(0.1 * Math.log((Math.exp(5) + Math.exp(3) + Math.exp(4)) / 3), 9);
    expect(one).toBe(0.6);
    expect(none).toBe(Number.NEGATIVE_INFINITY);
  });

  it('takes the maximum at temperature 0, and nears the mean at a high one', () => {
    const [scores, owners] = [
      [0.1, 0.9, 0.2],
      [0, 0, 1],
    ];
    expect([...documentScores(scores, owners, 2, 0)]).toEqual([0.9, 0.2]);
    expect(documentScores(scores, owners, 2, 1000)[0]).toBeCloseTo(0.5, 3);
  });

  it('stays finite for scores far apart and far from 0', () => {
    expect(documentScores([800, -800], [0, 0], 1)[0]).toBeCloseTo(800 - 0.05 * Math.log(2), 9);
  });

  it('scores a chunk as the loss does', () => {
    expect(WINDOW_TEMPERATURE).toBe(1 / DEFAULT_SCALE);
    const queries = [
      [0.6, 0.8],
      [1, 0],
    ];
    const vectors = [
      [1, 0],
      [0.8, 0.6],
      [0, 1],
    ];
    const vectorColumns = Int32Array.from([0, 0, 1]);
    const batch = { targets: Int32Array.from([0, 1]), knownPositives: [], columns: 2, vectorColumns };
    const byLoss = tf.tidy(
      () => rankingScores(tf.tensor2d(queries), tf.tensor2d(vectors), batch, 20).arraySync() as number[][],
    );
    queries.forEach((query, i) => {
      const cosines = vectors.map((vector) => vector[0] * query[0] + vector[1] * query[1]);
      [...documentScores(cosines, vectorColumns, 2)].forEach((score, column) => {
        expect(score).toBeCloseTo(byLoss[i][column] / 20, 6);
      });
    });
  });
});
