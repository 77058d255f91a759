import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readDataset, setDatasetAside, writeDataset } from 'finetune-embedding/dist/dataset/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'dataset-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const DATASET = {
  queries: { q1: 'Who?', q2: 'Where?' },
  corpus: { c1: 'Ada, of course.', c2: 'By the sea.' },
  relevantDocs: { q1: ['c1'], q2: ['c1', 'c2'] },
};
const json = async (file: string) => JSON.parse(await readFile(path.join(dir, file), 'utf8'));

describe('writeDataset', () => {
  it('writes the four files of a split, the last as LlamaIndex does', async () => {
    const file = await writeDataset(dir, 'val', DATASET);
    expect(file).toBe(path.join(dir, 'val_dataset.json'));
    expect((await readdir(dir)).sort()).toEqual([
      'val_corpus.json',
      'val_dataset.json',
      'val_queries.json',
      'val_relevant_docs.json',
    ]);
    expect(await json('val_corpus.json')).toEqual(DATASET.corpus);
    expect(await json('val_queries.json')).toEqual(DATASET.queries);
    expect(await json('val_relevant_docs.json')).toEqual(DATASET.relevantDocs);
    const { relevantDocs, ...rest } = DATASET;
    expect(await json('val_dataset.json')).toEqual({ ...rest, relevant_docs: relevantDocs, mode: 'text' });
    expect(await readDataset(file)).toEqual(DATASET);
  });

  it('writes nothing of a dataset that is not valid', async () => {
    const wrong = { ...DATASET, relevantDocs: { q1: ['c1'] } };
    await expect(writeDataset(dir, 'train', wrong)).rejects.toThrow(/train_dataset.json: queries.q2: has no entry/);
    expect(await readdir(dir)).toEqual([]);
  });

  it('keeps keys it does not know, from reading to writing', async () => {
    const { relevantDocs, ...rest } = DATASET;
    const file = path.join(dir, 'in.json');
    await writeFile(file, JSON.stringify({ ...rest, relevant_docs: relevantDocs, made_by: { hand: true } }));
    await writeDataset(dir, 'train', await readDataset(file));
    expect(await json('train_dataset.json')).toMatchObject({ made_by: { hand: true }, mode: 'text' });
  });

  it('writes hard negatives beside relevant_docs, and reads them back', async () => {
    const hardNegatives = { q1: ['c2'] };
    const file = await writeDataset(dir, 'train', { ...DATASET, hardNegatives });
    expect(await json('train_dataset.json')).toMatchObject({ negatives: hardNegatives, mode: 'text' });
    expect(await readDataset(file)).toEqual({ ...DATASET, hardNegatives });
  });
});

describe('readDataset', () => {
  const good = { queries: { q: 'Who?' }, corpus: { c: 'Ada.' }, relevant_docs: { q: ['c'] } };
  it.each([
    ['no JSON', '{"queries": {', /is not JSON/],
    ['a list', '[]', /\(top\): an object with queries, corpus and relevant_docs/],
    ['negatives of no query', { ...good, negatives: { x: ['c'] } }, /negatives\.x: there is no such query/],
    ['a negative of no chunk', { ...good, negatives: { q: ['x'] } }, /negatives\.q: chunk x is not in the corpus/],
    ['a negative that is relevant', { ...good, negatives: { q: ['c'] } }, /negatives\.q: chunk c is in relevant_docs/],
    ['no corpus', { ...good, corpus: undefined }, /corpus: missing/],
    ['queries as a list', { ...good, queries: ['Who?'] }, /queries: missing, or not an object/],
    ['an empty chunk', { ...good, corpus: { c: ' \n' } }, /corpus\.c: the text is empty/],
    ['half a character', { ...good, corpus: { c: 'A\ud83d.' } }, /corpus\.c: the text holds half a character/],
    ['a chunk named twice', { ...good, relevant_docs: { q: ['c', 'c'] } }, /relevant_docs\.q: names a chunk twice/],
    ['a number for a question', { ...good, queries: { q: 7 } }, /queries\.q: must be a text, but is a number/],
    ['null for a chunk', { ...good, corpus: { c: null } }, /corpus\.c: must be a text, but is null/],
    ['a chunk that is not there', { ...good, relevant_docs: { q: ['x'] } }, /relevant_docs\.q: chunk x is not in/],
    [
      'a query that is not there',
      { ...good, relevant_docs: { q: ['c'], x: ['c'] } },
      /relevant_docs\.x: there is no such/,
    ],
    ['a query without chunks', { ...good, relevant_docs: {} }, /queries\.q: has no entry in relevant_docs/],
    ['an empty list', { ...good, relevant_docs: { q: [] } }, /relevant_docs\.q: must be a list of one or more/],
    ['a text for a list', { ...good, relevant_docs: { q: 'c' } }, /relevant_docs\.q: must be a list/],
    ['an inherited name', { ...good, relevant_docs: { q: ['toString'] } }, /chunk toString is not in the corpus/],
    ['another mode', { ...good, mode: 'image' }, /mode: "image"/],
  ])('refuses %s, naming file and key', async (_, content, message) => {
    const file = path.join(dir, 'broken.json');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    await expect(readDataset(file)).rejects.toThrow(message);
    await expect(readDataset(file)).rejects.toThrow(file);
  });

  it('sets a dataset of earlier documents aside, and loses nothing', async () => {
    expect(setDatasetAside(dir, 'test')).toBeUndefined();
    const file = await writeDataset(dir, 'test', DATASET);
    const aside = setDatasetAside(dir, 'test')!;
    expect(existsSync(file)).toBe(false);
    expect(await readDataset(aside)).toEqual(DATASET);
  });

  it('says that a file is missing, and what makes it', async () => {
    await expect(readDataset(path.join(dir, 'none.json'))).rejects.toThrow(
      /none\.json: there is no such file\. Run the generate_dataset notebook first/,
    );
  });

  const original = path.resolve('../shared/data/lyft_train_dataset.json');
  it.skipIf(!existsSync(original))(
    'reads a dataset of the original workflow (skipped where that file is absent)',
    async () => {
      const dataset = await readDataset(original);
      expect(Object.keys(dataset.corpus)).toHaveLength(334);
      expect(Object.keys(dataset.queries)).toHaveLength(668);
      expect(Object.values(dataset.relevantDocs).every((ids) => ids.length === 1)).toBe(true);
      const copy = await writeDataset(dir, 'train', dataset);
      expect(await readDataset(copy)).toEqual(dataset);
    },
  );
  if (!existsSync(original)) console.log(`skipped: ${path.basename(original)} is not there`);
});
