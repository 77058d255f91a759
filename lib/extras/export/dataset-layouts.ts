// In: a dataset. Out: its files as sentence-transformers' trainer and as BEIR read them.
import fs from 'node:fs';
import path from 'node:path';
import { writeWhole } from '../../common/files';
import type { EmbeddingDataset } from '../../dataset/dataset';

const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/**
 * Writes a line for each question and chunk that answers it, `{anchor, positive}`, or, of a dataset with hard
 * negatives, for each of these, `{anchor, positive, negative}`. Questions that have none go to `….pairs.jsonl` then:
 * all lines of a file must have the same columns for sentence-transformers' trainer, which takes several datasets.
 *
 * @param file such as `train.jsonl`
 * @returns the files written, each with its number of lines
 */
export function writeJsonl(file: string, { queries, corpus, relevantDocs, hardNegatives }: EmbeddingDataset) {
  const rows = Object.entries(relevantDocs).flatMap(([id, chunks]) => {
    const negatives = hardNegatives?.[id]?.map((chunk) => ({ negative: corpus[chunk] })) ?? [{}];
    return chunks.flatMap((chunk) =>
      negatives.map((one) => ({ anchor: queries[id], positive: corpus[chunk], ...one })),
    );
  });
  const [triplets, pairs] = [true, false].map((has) => rows.filter((row) => 'negative' in row === has));
  const beside = file.replace(/(\.jsonl)?$/, '.pairs.jsonl');
  const parts: [file: string, rows: object[]][] = triplets.length > 0 ? [[file, triplets]] : [[file, pairs]];
  if (triplets.length > 0 && pairs.length > 0) parts.push([beside, pairs]);
  else fs.rmSync(beside, { force: true }); // of an earlier dataset
  for (const [name, part] of parts) writeWhole(name, lines(part));
  return parts.map(([name, part]) => ({ file: name, lines: part.length }));
}

/**
 * Writes a dataset in BEIR's layout (Thakur et al. 2021, https://github.com/beir-cellar/beir): `corpus.jsonl`,
 * `queries.jsonl`, `qrels/SPLIT.tsv`. Each split wants a folder of its own: in one corpus they are another task.
 *
 * @throws Error if an id holds what a table of tabs cannot
 */
export function writeBeir(folder: string, split: string, { queries, corpus, relevantDocs }: EmbeddingDataset): void {
  const bad = [...Object.keys(queries), ...Object.keys(corpus)].find((id) => /[\t\r\n"]/.test(id));
  if (bad)
    throw new Error(`BEIR's table cannot hold the id ${JSON.stringify(bad)}: give it one without tabs and quotes.`);
  const pairs = Object.entries(relevantDocs).flatMap(([id, chunks]) => chunks.map((chunk) => `${id}\t${chunk}\t1\n`));
  const texts = (record: Record<string, string>, more = {}) =>
    lines(Object.entries(record).map(([_id, text]) => ({ _id, ...more, text })));
  writeWhole(path.join(folder, 'corpus.jsonl'), texts(corpus, { title: '' }));
  writeWhole(path.join(folder, 'queries.jsonl'), texts(queries));
  writeWhole(path.join(folder, 'qrels', `${split}.tsv`), `query-id\tcorpus-id\tscore\n${pairs.join('')}`);
}
