// Words against words: as sentence-transformers' MultiVectorEncoder, as plain loops, and as a search uses them.
import fs from 'node:fs';
import {
  type Embeddings,
  evaluateEmbedder,
  loadModel,
  type Matrix,
  rankByVectors,
  tf,
  wordEmbedder,
} from 'finetune-embedding';
import { int8Rows, stacked } from 'finetune-embedding/dist/common/matrix.js';
import { vectorScores } from 'finetune-embedding/dist/evaluate/vector-scores.js';
import { wardClusters } from 'finetune-embedding/dist/evaluate/ward-clusters.js';
import { hubnessOf, pooledWords } from 'finetune-embedding/dist/evaluate/word-embedder.js';
import { describe, expect, it } from 'vitest';
import { TINY } from '../fixtures/engine';
import { dataset, matrix, randomRows } from './helpers';

interface Fixture {
  questions: string[];
  documents: string[];
  /** The first two questions' word vectors. */
  words: number[][][];
  scores: number[][];
  pooled: Record<string, { vectors: number[]; scores: number[][] }>;
}
const fixture: Fixture = JSON.parse(fs.readFileSync('test/evaluate/fixtures/words.json', 'utf8'));

const largestDifference = (a: ArrayLike<number>[], b: number[][]) =>
  Math.max(...b.flatMap((row, i) => row.map((value, j) => Math.abs(value - a[i][j]))));

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

describe('wordEmbedder', async () => {
  const model = await loadModel(TINY, { name: 'tiny' });
  const size = model.maxSeqLength - 2;
  const whole = wordEmbedder(model, { size }, 1);
  const asked = await whole.embedQueries(fixture.questions);

  it("gives a question's word pieces the vectors of sentence-transformers, without [CLS] and [SEP]", () => {
    const rows = fixture.words.flat();
    expect([...asked.owners!.subarray(0, rows.length)]).toEqual(fixture.words.flatMap((own, i) => own.map(() => i)));
    expect(asked.owners![rows.length]).toBe(2);
    const ours = rows.map((_, row) => asked.data.subarray(row * asked.columns, (row + 1) * asked.columns));
    expect(largestDifference(ours, rows)).toBeLessThan(1e-5);
  });

  it('scores as its MultiVectorEncoder does: to 1e-5 with floats, to 0.01 in 8 bits', async () => {
    const sequences = fixture.documents.map((text) => model.tokenizer.encode(text, model.maxSeqLength));
    const words = await model.embedWords(sequences);
    const documents = concatenated(words);
    expect(largestDifference(vectorScores(asked, documents, words.length), fixture.scores)).toBeLessThan(1e-5);
    const { vectors, owners } = await whole.embedDocuments(fixture.documents);
    const small = { vectors, owners };
    expect(small.owners).toEqual(documents.owners);
    expect(small.vectors.data).toBeInstanceOf(Int8Array);
    expect(largestDifference(vectorScores(asked, small, words.length), fixture.scores)).toBeLessThan(0.01);
    for (const [factor, { vectors, scores }] of Object.entries(fixture.pooled)) {
      const pooled = words.map((own) => pooledWords(own, Number(factor)));
      expect(pooled.map(({ rows }) => rows)).toEqual(vectors);
      expect(largestDifference(vectorScores(asked, concatenated(pooled), words.length), scores)).toBeLessThan(1e-5);
    }
  });

  it('reads a long document in windows that do not overlap, and keeps a vector for three word pieces', async () => {
    const long = fixture.documents.join(' ');
    const pieces = model.tokenizer.encodeWhole(long).length;
    expect(pieces).toBeGreaterThan(20 * 3);
    const windowed = wordEmbedder(model, { size: 20 });
    const { vectors, owners } = await windowed.embedDocuments(['the port', long, '']);
    const count = (owner: number) => owners.filter((own) => own === owner).length;
    // Of a text without words stays what the tokenizer puts around it.
    expect([count(0), count(1), count(2)]).toEqual([1, Math.floor(pieces / 3), 1]);
    expect(vectors.rows).toBe(owners.length);
    const first = await wordEmbedder(model, { size: 20 }, 1).embedDocuments([long]);
    const alone = await model.embedWords([model.tokenizer.encode(long, 22)]);
    const own = Array.from(first.vectors.data.subarray(0, 32));
    expect(cosine(own, Array.from(alone[0].data.subarray(0, 32)))).toBeGreaterThan(0.9999);
  });

  it('is asked, ranked and measured as other embedders are', async () => {
    const names = fixture.documents.map((_, i) => `d${i}`);
    const data = dataset(names, ...names.map((name) => [name]));
    data.queries = Object.fromEntries(fixture.questions.map((text, i) => [`q${i}`, text]));
    data.corpus = Object.fromEntries(fixture.documents.map((text, i) => [names[i], text]));
    const seen: number[] = [];
    const result = await evaluateEmbedder(whole, data, { topK: 1, onProgress: (done) => seen.push(done) });
    const documents = await whole.embedDocuments(fixture.documents);
    const scores = vectorScores(asked, documents, names.length);
    const order = (scores: Float64Array) =>
      [...scores.keys()].sort((a, b) => scores[b] - scores[a]).map((i) => names[i]);
    expect(result.rankings.map((ranking) => ranking.map(({ id }) => id)).map((ids) => ids[0])).toEqual(
      scores.map((ofQuestion) => order(ofQuestion)[0]),
    );
    expect(Object.keys(result.scores)).toEqual(['maxsim']);
    expect(result.cost).toMatchObject({ vectors: result.documents.owners.length });
    expect(result.cost.indexBytes).toBe(32 * result.cost.vectors);
    expect(seen.at(-1)).toBe(2 * names.length);
  });

  it('refuses windows that do not fit, and a model that is broken', async () => {
    expect(() => wordEmbedder(model, { size: size + 1 })).toThrow(/more than the model's/);
    const broken = await loadModel(model.folder, { name: 'broken' });
    const [name, weight] = [...broken.weights].at(-1)!;
    broken.weights.set(name, tf.fill(weight.shape, Number.NaN));
    await expect(wordEmbedder(broken, { size }).embedDocuments(['the port'])).rejects.toThrow(/NaN.*broken/);
  });
});

describe('late interaction', () => {
  const questionRows = randomRows(5, 6, 1);
  const documentRows = randomRows(7, 6, 2);
  const questions = { ...matrix(questionRows), owners: Int32Array.from([0, 0, 0, 1, 1]) };
  const documents = { vectors: matrix(documentRows), owners: Int32Array.from([0, 0, 1, 2, 2, 2, 2]) };

  it('is the mean of the best cosines of a question’s words, whatever the lengths of vectors', () => {
    const scores = vectorScores(questions, documents, 4);
    for (const [question, words] of [questionRows.slice(0, 3), questionRows.slice(3)].entries()) {
      for (const [document, rows] of [
        documentRows.slice(0, 2),
        documentRows.slice(2, 3),
        documentRows.slice(3),
      ].entries()) {
        const best = words.map((word) => Math.max(...rows.map((row) => cosine(word, row))));
        expect(scores[question][document]).toBeCloseTo(best.reduce((a, b) => a + b) / words.length, 6);
      }
      expect(scores[question][3]).toBe(Number.NEGATIVE_INFINITY);
    }
  });

  it('takes half of what words of other documents find above average in each off its score', () => {
    const meanBest = (rows: number[][], others: number[][]) => {
      const best = others.map((word) => Math.max(...rows.map((row) => cosine(word, row))));
      return best.reduce((a, b) => a + b) / others.length;
    };
    const parts = [documentRows.slice(0, 2), documentRows.slice(2, 3), documentRows.slice(3)];
    const [first] = parts;
    const means = parts.map((own) => meanBest(own, parts.filter((part) => part !== own).flat()));
    const average = means.reduce((a, b) => a + b) / 3;
    const hubness = hubnessOf(documents, 3);
    means.forEach((mean, i) => {
      expect(hubness[i]).toBeCloseTo(Math.max(0, mean - average) / 2, 6);
    });
    expect(Math.min(...hubness)).toBe(0);
    expect(hubness[2]).toBeGreaterThan(0);
    const plain = vectorScores(questions, documents, 3);
    const scores = vectorScores(questions, { ...documents, hubness }, 3);
    expect(scores[1][2]).toBeCloseTo(plain[1][2] - hubness[2], 12);
    const alone = { vectors: matrix(first), owners: Int32Array.from([0, 0]) };
    expect([...hubnessOf(alone, 1)]).toEqual([0]); // there are no others
  });

  it('leaves no tensor, and a document without vectors out of a ranking', () => {
    const before = tf.memory().numTensors;
    const [ranking] = rankByVectors(questions, documents, [...'abcd']);
    expect(ranking.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('wardClusters', () => {
  /** Ward by its definition: of all pairs, merge the one that adds least to the squares within clusters. */
  function slowly(points: number[][], clusters: number): number[][] {
    const groups = points.map((_, i) => [i]);
    const squares = (group: number[]) => {
      const mean = points[0].map((_, d) => group.reduce((sum, i) => sum + points[i][d], 0) / group.length);
      return group.reduce((sum, i) => sum + points[i].reduce((own, x, d) => own + (x - mean[d]) ** 2, 0), 0);
    };
    while (groups.length > clusters) {
      let best = { cost: Number.POSITIVE_INFINITY, a: 0, b: 0 };
      for (let a = 0; a < groups.length; a++)
        for (let b = a + 1; b < groups.length; b++) {
          const cost = squares([...groups[a], ...groups[b]]) - squares(groups[a]) - squares(groups[b]);
          if (cost < best.cost) best = { cost, a, b };
        }
      groups[best.a].push(...groups.splice(best.b, 1)[0]);
    }
    return groups.map((group) => group.sort((a, b) => a - b)).sort((a, b) => a[0] - b[0]);
  }

  it.each([1, 4, 9, 24, 30])('finds the clusters of its definition: %i of 30 points', (clusters) => {
    const points = randomRows(30, 3, 7);
    const distances = points.flatMap((a) => points.map((b) => Math.hypot(...a.map((x, d) => x - b[d]))));
    const labels = wardClusters(Float32Array.from(distances), 30, clusters);
    const groups = Array.from({ length: clusters }, (_, cluster) =>
      [...labels.keys()].filter((i) => labels[i] === cluster),
    );
    expect(groups).toEqual(slowly(points, clusters));
  });

  it('ends where all distances are the same', () => {
    expect(new Set(wardClusters(new Float32Array(36).fill(1), 6, 2)).size).toBe(2);
    expect([...wardClusters(new Float32Array(16), 4, 1)]).toEqual([0, 0, 0, 0]);
  });
});

it('int8Rows keeps directions: the largest number of each row is 127', () => {
  const rows = int8Rows(
    matrix([
      [0.5, -1, 0.25],
      [0, 0, 0],
      [1e-6, 2e-6, 0],
    ]),
  );
  expect([...rows.data]).toEqual([64, -127, 32, 0, 0, 0, 64, 127, 0]);
});

const concatenated = (parts: Matrix[]): Embeddings => ({
  vectors: stacked(parts, Float32Array),
  owners: Int32Array.from(parts.flatMap(({ rows }, i) => Array(rows).fill(i))),
});
