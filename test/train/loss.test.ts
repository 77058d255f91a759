import { multipleNegativesRankingLoss, tf } from 'finetune-embedding';
import { cosineSimilarities, type LossBatch } from 'finetune-embedding/dist/train/ranking-loss.js';
import { describe, expect, it } from 'vitest';
import { loadTiny, pairsAsData, texts, tinyReference } from '../fixtures/engine';
import { checkpointGradients, firstBatch } from './helpers';

const QUESTIONS = [
  [1, 2, 0],
  [0, -1, 3],
];
const CHUNKS = [
  [2, 1, 1],
  [0, 0, 0.5],
  [-1, 4, 2],
];

/** −log softmax(20 · cosine)[target] in plain 64-bit arithmetic, columns in `skip` left out. */
function expectedLoss(targets: number[], skip: [number, number][] = []): number {
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const losses = QUESTIONS.map((question, row) => {
    const exps = CHUNKS.map((chunk, column) =>
      skip.some(([r, c]) => r === row && c === column) ? 0 : Math.exp(20 * cosine(question, chunk)),
    );
    return -Math.log(exps[targets[row]] / exps.reduce((a, b) => a + b));
  });
  return losses.reduce((a, b) => a + b) / losses.length;
}

function loss(questions: number[][], targets: number[], knownPositives: [number, number][] = []): number {
  return tf.tidy(() => {
    const batch = { targets: Int32Array.from(targets), knownPositives, columns: CHUNKS.length };
    return multipleNegativesRankingLoss(tf.tensor2d(questions), tf.tensor2d(CHUNKS), batch).dataSync()[0];
  });
}

describe('MultipleNegativesRankingLoss', () => {
  it('is what sentence-transformers computes', async () => {
    const model = await loadTiny();
    const { loss: own } = checkpointGradients(model, firstBatch(model, pairsAsData(texts.tinyPairs), 8));
    expect(Math.abs(own / tinyReference.loss - 1)).toBeLessThan(1e-5);
  });

  it('is the mean of −log softmax(20 · cosine) at each question’s chunk', () => {
    expect(loss(QUESTIONS, [0, 1])).toBeCloseTo(expectedLoss([0, 1]), 5);
    expect(loss(QUESTIONS, [2, 0])).toBeCloseTo(expectedLoss([2, 0]), 5);
  });

  it('leaves known positives out of the negatives', () => {
    expect(loss(QUESTIONS, [0, 1], [[0, 2]])).toBeCloseTo(expectedLoss([0, 1], [[0, 2]]), 5);
    expect(loss(QUESTIONS, [0, 1], [[0, 2]])).toBeLessThan(loss(QUESTIONS, [0, 1]));
  });

  it('is 0 in a last batch of one pair, as in sentence-transformers, with windows or without', () => {
    const alone = { targets: Int32Array.of(0), knownPositives: [], columns: 1 };
    const of = (batch: LossBatch, chunks: number[][]) =>
      tf.tidy(
        () => multipleNegativesRankingLoss(tf.tensor2d([QUESTIONS[0]]), tf.tensor2d(chunks), batch).dataSync()[0],
      );
    expect(of(alone, [CHUNKS[0]])).toBeCloseTo(0, 12);
    expect(of({ ...alone, vectorColumns: Int32Array.of(0, 0, 0) }, CHUNKS)).toBeCloseTo(0, 12);
  });

  it('does not depend on the vectors’ lengths, and bears a vector of zeros', () => {
    const longer = QUESTIONS.map((row) => row.map((value) => value * 1000));
    expect(loss(longer, [0, 1])).toBeCloseTo(loss(QUESTIONS, [0, 1]), 5);
    expect(loss([[0, 0, 0], QUESTIONS[1]], [0, 1])).toBeGreaterThan(0);
  });

  describe('of chunks with several windows', () => {
    const windows = [CHUNKS[0], [-3, 0, 1], CHUNKS[1], CHUNKS[2], [0, 1, 2]];
    const vectorColumns = [0, 0, 1, 2, 2];
    const batch = { targets: Int32Array.from([0, 1]), knownPositives: [], columns: 3 };
    const windowed = { ...batch, vectorColumns: Int32Array.from(vectorColumns) };
    const compute = (scale: number) => (vectors: tf.Tensor) =>
      multipleNegativesRankingLoss(tf.tensor2d(QUESTIONS), vectors as tf.Tensor2D, windowed, scale);

    it('scores a chunk by the log of the mean power of its windows, which all receive a gradient', () => {
      const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
      const power = (a: number[], b: number[]) => Math.exp((20 * dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b)));
      const losses = QUESTIONS.map((question, row) => {
        const ofChunk = [0, 1, 2].map((column) => {
          const own = windows.filter((_, i) => vectorColumns[i] === column);
          return own.reduce((sum, window) => sum + power(question, window), 0) / own.length;
        });
        return -Math.log(ofChunk[row] / ofChunk.reduce((a, b) => a + b));
      });
      tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad(compute(20))(tf.tensor2d(windows));
        expect(value.dataSync()[0]).toBeCloseTo((losses[0] + losses[1]) / 2, 5);
        for (const row of grad.arraySync() as number[][]) expect(Math.hypot(...row)).toBeGreaterThan(0);
      });
    });

    it('stays finite where powers of the scale would overflow', () => {
      tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad(compute(5000))(tf.tensor2d(windows));
        expect(Number.isFinite(value.dataSync()[0])).toBe(true);
        expect(grad.dataSync().every(Number.isFinite)).toBe(true);
      });
    });
  });

  it('compares by cosine: 1 with itself, 0 at a right angle', () => {
    tf.tidy(() => {
      const [a, b] = [
        tf.tensor2d([[3, 4]]),
        tf.tensor2d([
          [30, 40],
          [-4, 3],
        ]),
      ];
      const cosines = cosineSimilarities(a, b).dataSync();
      expect(cosines[0]).toBeCloseTo(1, 6);
      expect(cosines[1]).toBeCloseTo(0, 6);
    });
  });
});
