// Datasets as others read them. What sentence-transformers' trainer makes of them: npm run interop.
import fs from 'node:fs';
import path from 'node:path';
import { writeBeir, writeJsonl } from 'finetune-embedding/extras';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../fixtures/engine';

const data = {
  queries: { q1: 'When does "Marlin" sail?', q2: 'line\nbreak\u2028and\ttab', q3: 'Two places?' },
  corpus: { c1: 'At six.', c2: 'Forty\ncars.', c3: 'In Trest.', c4: 'asked by nobody' },
  relevantDocs: { q1: ['c1'], q2: ['c2'], q3: ['c1', 'c3'] },
};

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const text = (...names: string[]) => fs.readFileSync(path.join(folder, ...names), 'utf8');
const rows = (...names: string[]) =>
  text(...names)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('writeJsonl', () => {
  const write = (dataset: Parameters<typeof writeJsonl>[1]) =>
    writeJsonl(path.join(folder, 'train.jsonl'), dataset).map(({ file, lines }) => [path.basename(file), lines]);

  it('has a line for each question and chunk that answers it', () => {
    expect(write(data)).toEqual([['train.jsonl', 4]]);
    expect(rows('train.jsonl')).toEqual([
      { anchor: data.queries.q1, positive: 'At six.' },
      { anchor: data.queries.q2, positive: 'Forty\ncars.' },
      { anchor: 'Two places?', positive: 'At six.' },
      { anchor: 'Two places?', positive: 'In Trest.' },
    ]);
  });

  it('has a line for each hard negative, and questions without in a file of their own', () => {
    expect(write({ ...data, hardNegatives: { q1: ['c3', 'c4'] } })).toEqual([
      ['train.jsonl', 2],
      ['train.pairs.jsonl', 3],
    ]);
    expect(rows('train.jsonl')).toEqual([
      { anchor: data.queries.q1, positive: 'At six.', negative: 'In Trest.' },
      { anchor: data.queries.q1, positive: 'At six.', negative: 'asked by nobody' },
    ]);
    expect(rows('train.pairs.jsonl').map((row) => Object.keys(row).join())).toEqual(Array(3).fill('anchor,positive'));
  });

  it('leaves no file of an earlier dataset beside the new one', () => {
    write({ ...data, hardNegatives: { q1: ['c3'] } });
    write(data);
    expect(fs.readdirSync(folder)).toEqual(['train.jsonl']);
  });
});

describe('writeBeir', () => {
  it('writes the three files as BEIR lays them out', () => {
    writeBeir(folder, 'test', data);
    expect(rows('corpus.jsonl')).toEqual(Object.entries(data.corpus).map(([_id, text]) => ({ _id, title: '', text })));
    expect(rows('queries.jsonl')).toEqual(Object.entries(data.queries).map(([_id, text]) => ({ _id, text })));
    expect(text('qrels', 'test.tsv')).toBe('query-id\tcorpus-id\tscore\nq1\tc1\t1\nq2\tc2\t1\nq3\tc1\t1\nq3\tc3\t1\n');
  });

  it('refuses ids that would break its table, before it writes anything', () => {
    const corpus = { ...data.corpus, 'c\t5': 'a tab' };
    expect(() => writeBeir(folder, 'test', { ...data, corpus })).toThrow(/cannot hold the id "c\\t5"/);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
