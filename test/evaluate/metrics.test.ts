import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { evaluateEmbedder, evaluateRanking, rankByVectors } from 'finetune-embedding';
import { writeMetricsCsv } from 'finetune-embedding/dist/evaluate/result-files.js';
import { describe, expect, it } from 'vitest';
import { matrix, single, temporaryFolder } from './helpers';

// Written by test/interop/make_ir_fixtures.py, with sentence-transformers' InformationRetrievalEvaluator.
const folder = join(__dirname, 'fixtures');
const fixtures = readdirSync(folder).filter((file) => file.startsWith('ir_'));

describe('the metrics of InformationRetrievalEvaluator', () => {
  it('has fixtures', () => expect(fixtures).toHaveLength(4));

  it.each(fixtures)('%s: same rankings, ties included', (file) => {
    const { queryVectors, documentVectors, documentIds, rankings } = load(file);
    for (const similarity of ['cosine', 'dot'] as const) {
      const ours = rankByVectors(matrix(queryVectors), single(documentVectors), documentIds, { similarity });
      for (const [query, expected] of Object.entries(rankings[similarity])) {
        expect(ours[Number(query.split('-')[1])].map(({ id }) => id)).toEqual(expected);
      }
    }
  });

  it.each(fixtures)('%s: same CSV but for epoch and step, written in two steps', async (file) => {
    const { queryVectors, documentVectors, documentIds, relevantDocs, csvFile, csv } = load(file);
    const data = {
      queries: Object.fromEntries(queryVectors.map((_, i) => [`query-${i}`, `${i}`])),
      corpus: Object.fromEntries(documentIds.map((id, i) => [id, `${i}`])),
      relevantDocs,
    };
    const embedder = {
      name: 'fixture',
      embedQueries: async (texts: string[]) => matrix(texts.map((text) => queryVectors[Number(text)])),
      embedDocuments: async (texts: string[]) => single(texts.map((text) => documentVectors[Number(text)])),
    };
    const { scores } = await evaluateEmbedder(embedder, data);
    const out = temporaryFolder();
    const name = csvFile.match(/evaluation_(.*)_results/)![1];
    writeMetricsCsv(out, name, scores);
    const path = writeMetricsCsv(out, name, scores);
    expect(basename(path)).toBe(csvFile);
    expect(readdirSync(out)).toEqual([csvFile]);
    const ours = readFileSync(path, 'utf8').split('\n');
    const theirs = csv.split('\n');
    expect(ours).toHaveLength(theirs.length);
    expect(ours[0]).toBe(theirs[0]);
    for (let line = 1; line < theirs.length - 1; line++) {
      const [a, b] = [ours[line].split(','), theirs[line].split(',')];
      expect(a).toHaveLength(b.length);
      // NumPy adds in another order, so the last digit may differ.
      for (let i = 2; i < b.length; i++) expect(Math.abs(Number(a[i]) - Number(b[i]))).toBeLessThan(1e-12);
      expect(a.slice(0, 2)).toEqual(['-1', '-1']);
      // Numbers look as Python prints them.
      for (const cell of a.slice(2)) expect(cell).toMatch(/^\d\.\d+(e-\d\d+)?$/);
    }
  });

  it('refuses to append to a file with other columns, and leaves it alone', () => {
    const out = temporaryFolder();
    const { metrics } = evaluateRanking([[{ id: 'a', score: 1 }]], {
      queries: { q: 'question' },
      corpus: { a: 'text' },
      relevantDocs: { q: ['a'] },
    });
    const path = writeMetricsCsv(out, 'x', { bm25: metrics });
    const before = readFileSync(path, 'utf8');
    expect(before).toMatch(/^epoch,steps,bm25-Accuracy@1,/);
    expect(() => writeMetricsCsv(out, 'x', { cosine: metrics })).toThrow(/other columns/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});

interface Fixture {
  queryVectors: number[][];
  documentVectors: number[][];
  documentIds: string[];
  relevantDocs: Record<string, string[]>;
  csvFile: string;
  csv: string;
  rankings: Record<'cosine' | 'dot', Record<string, string[]>>;
}

function load(file: string): Fixture {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}
