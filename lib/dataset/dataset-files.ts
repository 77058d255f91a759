// In: a dataset. Out: the four files of a split, as the original writes them; and the dataset back, checked, from one.
import fs from 'node:fs';
import path from 'node:path';
import { readJson, writeJson } from '../common/files';
import { withLock } from '../common/lock';
import type { EmbeddingDataset } from './dataset';

/** The parts that a dataset's questions play. */
type Split = 'train' | 'val' | 'test';

/**
 * Writes `{split}_corpus.json`, `{split}_queries.json`, `{split}_relevant_docs.json`, and all three together as
 * `{split}_dataset.json`, which LlamaIndex's `EmbeddingQAFinetuneDataset.from_json` reads. Each appears whole or not at
 * all; the dataset comes last, and holds the hard negatives too, as `negatives`: readers that don't know them go on.
 * @returns the path of the dataset file.
 * @throws Error if the dataset is not valid, or another process works in the folder; nothing is written then.
 */
export async function writeDataset(dir: string, split: Split, dataset: EmbeddingDataset): Promise<string> {
  const { queries, corpus, relevantDocs, hardNegatives, extra } = dataset;
  const file = path.join(dir, `${split}_dataset.json`);
  const negatives = hardNegatives && { negatives: hardNegatives };
  const whole = { ...extra, queries, corpus, relevant_docs: relevantDocs, ...negatives, mode: 'text' };
  parseDataset(whole, file);
  await withLock(dir, async () => {
    for (const [name, part] of Object.entries({ corpus, queries, relevant_docs: relevantDocs, dataset: whole }))
      writeJson(path.join(dir, `${split}_${name}.json`), part);
  });
  return file;
}

/**
 * Puts an earlier `{split}_dataset.json` out of the way of its readers, as `{split}_dataset.earlier.json`: one about
 * other documents would be taken for one about these.
 * @returns the new path, or undefined if there was none.
 */
export function setDatasetAside(dir: string, split: Split): string | undefined {
  const [file, aside] = ['json', 'earlier.json'].map((end) => path.join(dir, `${split}_dataset.${end}`));
  if (!fs.existsSync(file)) return undefined;
  fs.renameSync(file, aside);
  return aside;
}

/**
 * Reads a `{split}_dataset.json` of this project, of the original, or of LlamaIndex.
 * @throws Error that names file and key: missing or of a wrong type, empty texts, ids that lead nowhere.
 */
export async function readDataset(file: string): Promise<EmbeddingDataset> {
  return parseDataset(readJson(file, 'Run the generate_dataset notebook first: it writes it.'), file);
}

function parseDataset(value: unknown, file: string): EmbeddingDataset {
  const fail = (key: string, problem: string): never => {
    throw new Error(`${file}: ${key}: ${problem}`);
  };
  if (!isRecord(value)) return fail('(top)', 'an object with queries, corpus and relevant_docs is needed.');
  const { queries, corpus, relevant_docs: relevantDocs, negatives, mode, ...extra } = value;
  if (mode !== undefined && mode !== 'text') fail('mode', `${JSON.stringify(mode)}; only "text" can be trained on.`);

  const texts = (key: string, record: unknown): Record<string, string> => {
    if (!isRecord(record)) return fail(key, 'missing, or not an object of id → text.');
    for (const [id, text] of Object.entries(record)) {
      if (typeof text !== 'string') fail(`${key}.${id}`, `must be a text, but is ${typeName(text)}.`);
      else if (text.trim() === '') fail(`${key}.${id}`, 'the text is empty.');
      else if (/\p{Surrogate}/u.test(text)) fail(`${key}.${id}`, 'the text holds half a character (a lone surrogate).');
    }
    return record as Record<string, string>;
  };
  const checkedQueries = texts('queries', queries);
  const checkedCorpus = texts('corpus', corpus);

  const chunkLists = (key: string, record: unknown): Record<string, string[]> => {
    if (!isRecord(record)) return fail(key, 'missing, or not an object of query id → chunk ids.');
    for (const [queryId, ids] of Object.entries(record)) {
      const entry = `${key}.${queryId}`;
      if (!Object.hasOwn(checkedQueries, queryId)) fail(entry, 'there is no such query.');
      if (!Array.isArray(ids) || ids.length === 0) return fail(entry, 'must be a list of one or more chunk ids.');
      if (new Set(ids).size < ids.length) fail(entry, 'names a chunk twice.');
      for (const id of ids) {
        if (typeof id !== 'string') fail(entry, `chunk ids are texts, but one is ${typeName(id)}.`);
        if (!Object.hasOwn(checkedCorpus, id)) fail(entry, `chunk ${id} is not in the corpus.`);
      }
    }
    return record as Record<string, string[]>;
  };
  const checkedDocs = chunkLists('relevant_docs', relevantDocs);
  for (const queryId of Object.keys(checkedQueries))
    if (!Object.hasOwn(checkedDocs, queryId)) fail(`queries.${queryId}`, 'has no entry in relevant_docs.');

  const dataset: EmbeddingDataset = { queries: checkedQueries, corpus: checkedCorpus, relevantDocs: checkedDocs };
  if (negatives !== undefined) {
    dataset.hardNegatives = chunkLists('negatives', negatives);
    for (const [queryId, ids] of Object.entries(dataset.hardNegatives)) {
      const relevant = new Set(checkedDocs[queryId]);
      const both = ids.find((id) => relevant.has(id));
      if (both !== undefined) fail(`negatives.${queryId}`, `chunk ${both} is in relevant_docs too.`);
    }
  }
  return Object.keys(extra).length > 0 ? { ...dataset, extra } : dataset;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
