import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateEmbedder, evaluateRanking, queryChanges, writeEvaluations } from 'finetune-embedding';
import { groupResults } from 'finetune-embedding/dist/evaluate/evaluation.js';
import { describe, expect, it } from 'vitest';
import { dataset, matrix, ranked, temporaryFolder } from './helpers';

const documents = ['a', 'b', 'c', 'd'];

describe('evaluateRanking', () => {
  const data = dataset(documents, ['a'], ['b', 'c'], [], ['d']);
  const rankings = ranked(['a', 'b', 'c', 'd'], ['a', 'c', 'b'], ['a'], ['a', 'b']);

  it('counts hits and ranks, and leaves out queries without relevant documents', () => {
    const result = evaluateRanking(rankings, data, { name: 'x', topK: 2 });
    expect(result.perQuery.map(({ queryId, rank, isHit }) => [queryId, rank, isHit])).toEqual([
      ['q0', 1, true],
      ['q1', 2, true],
      ['q3', null, false],
    ]);
    expect(result.hitRate).toBeCloseTo(2 / 3);
    expect(result.metrics['MRR@10']).toBeCloseTo((1 + 1 / 2 + 0) / 3);
    // Relevant documents at ranks 2 and 3: precisions 1/2 and 2/3.
    expect(result.perQuery[1].metrics['MAP@100']).toBeCloseTo((1 / 2 + 2 / 3) / 2);
  });

  it('refuses rankings of other queries, and a dataset with nothing to find', () => {
    expect(() => evaluateRanking(rankings.slice(1), data)).toThrow(/3 rankings for 4 queries/);
    expect(() => evaluateRanking(ranked(['a']), dataset(documents, []))).toThrow(/No query has a relevant document/);
    expect(() => evaluateRanking(rankings, data, { topK: 2.5 })).toThrow(RangeError);
  });
});

describe("the original's rows", () => {
  const data = dataset(documents, ['d'], ['b', 'c']);

  it('hold the relevant chunk that was found, or the first; nothing but result files is left behind', () => {
    const folder = join(temporaryFolder(), 'deep');
    writeEvaluations(folder, { x: evaluateRanking(ranked(['a', 'b', 'd'], ['a', 'c', 'b']), data, { topK: 2 }) });
    expect(JSON.parse(readFileSync(join(folder, 'per_query_x.json'), 'utf8'))).toEqual([
      { is_hit: false, retrieved: ['a', 'b'], expected: 'd', query: 'q0' },
      { is_hit: true, retrieved: ['a', 'c'], expected: 'c', query: 'q1' },
    ]);
    expect(readdirSync(folder).sort()).toEqual(['Information-Retrieval_evaluation_x_results.csv', 'per_query_x.json']);
  });
});

describe('evaluateEmbedder', () => {
  it('ranks by windows, measures both similarities, and reports progress to the end', async () => {
    const data = dataset(['a', 'b'], ['a'], ['b']);
    const progress: [number, number][] = [];
    const result = await evaluateEmbedder(
      {
        name: 'toy',
        embedQueries: async (texts, onProgress) => {
          onProgress?.(texts.length, texts.length);
          return matrix([
            [1, 0],
            [0, 1],
          ]);
        },
        embedDocuments: async (_, onProgress) => {
          onProgress?.(1, 2);
          onProgress?.(2, 2);
          return {
            vectors: matrix([
              [1, 0],
              [0, 0.5],
              [3, 4],
            ]),
            owners: Int32Array.from([0, 0, 1]),
          };
        },
      },
      data,
      { topK: 1, onProgress: (done, total) => progress.push([done, total]) },
    );
    // By cosine, a's windows are exact for both queries; by dot product, the long vector of b wins both.
    expect(result.perQuery.map(({ retrieved }) => retrieved)).toEqual([['a'], ['a']]);
    expect(result.scores.cosine['Accuracy@1']).toBe(0.5);
    expect(result.scores.dot['Accuracy@1']).toBe(0.5);
    expect(result.scores.cosine['MRR@10']).toBe(0.75);
    expect(result.cost).toMatchObject({ vectors: 3, indexBytes: 24 });
    expect([...result.documents.owners]).toEqual([0, 0, 1]);
    expect([...result.documents.vectors.data]).toEqual([1, 0, 0, 0.5, 3, 4]);
    expect(result.name).toBe('toy');
    expect(progress).toEqual([
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });
});

describe('comparing evaluations', () => {
  const data = dataset(documents, ['a'], ['b'], ['c'], ['d'], ['d']);
  const before = evaluateRanking(ranked(['a'], ['a', 'b'], ['a', 'b', 'd', 'c'], ['a'], ['d']), data, { topK: 1 });
  const after = evaluateRanking(ranked(['b', 'a'], ['b'], ['c'], ['d'], ['d']), data, { topK: 1 });

  it('lists ranks before and after', () => {
    const changes = queryChanges(before, after, data.corpus);
    expect(changes.map((change) => [change.queryId, change.before, change.after])).toEqual([
      ['q0', 1, 2],
      ['q1', 2, 1],
      ['q2', 4, 1],
      ['q3', null, 1],
      ['q4', 1, 1],
    ]);
    expect(changes[0]).toMatchObject({ query: 'question 0', expected: 'text of a', retrieved: 'text of b' });
    expect(changes[4].retrieved).toBeUndefined();
    expect(() => queryChanges(before, { ...after, perQuery: after.perQuery.slice(1) }, data.corpus)).toThrow(
      /same queries/,
    );
  });

  it('groups queries', () => {
    const groups = groupResults(before, ({ queryId }) => (queryId < 'q2' ? 'early' : 'late'));
    expect([...groups.keys()]).toEqual(['early', 'late']);
    expect(groups.get('early')!.hitRate).toBe(0.5);
    expect(groups.get('late')!.metrics['MRR@10']).toBeCloseTo((1 / 4 + 0 + 1) / 3);
  });
});
