// In: what a model was made of, and later how it did. Out: README.md in its folder, the model card that the Hub shows.
import fs from 'node:fs';
import path from 'node:path';
import { writeWhole } from '../common/files';
import { scrub } from '../common/openai';
import { onnxFile } from './onnx/export';
import { type Prompts, readPrompts } from './prompts';
import { readSearchSettings, type SearchSettings } from './search-settings';

/** A dataset as a card names it. */
export interface DatasetFacts {
  questions: number;
  chunks: number;
  /** SHA-256 of its file, in hex. */
  sha256: string;
}

/** What a model was made of. */
export interface TrainingFacts {
  /** A name on the Hub, or a folder. */
  base: string;
  /** The base's, by the Hub's name for it (`apache-2.0`), where its card says one. */
  license?: string;
  train: DatasetFacts;
  validation: DatasetFacts;
  /** Settings of the training, by the names that a reader knows them by. */
  settings: Record<string, string | number>;
  /** Steps taken, and the step whose weights these are. */
  steps: number;
  keptStep?: number;
}

/** One retriever's metrics, each with the ends of its 95% interval. */
export interface CardResult {
  retriever: string;
  metrics: Record<string, { value: number; low: number; high: number }>;
}

const fileOf = (folder: string) => path.join(folder, 'README.md');
const write = (folder: string, card: string) => writeWhole(fileOf(folder), scrub(card, process.env.OPENAI_API_KEY));
/** Ours: a file without it was written by somebody, and stays. */
const MARK = '<!-- model card of finetune-embedding -->';
/** Results stand between these, in the metadata and in the text. */
const IN_METADATA = /(?<=\n# results\n).*?(?=# end of results\n)/s;
const IN_TEXT = /(?<=\n<!-- results -->\n).*?(?=<!-- end of results -->\n)/s;

/**
 * Writes the card of a model that has been trained; {@link addTestResults} adds what it reached. A README.md that was
 * not written here stays as it is; without a licence in `facts`, that of the earlier card does.
 *
 * @param folder the model's, with its search settings and prompts
 * @param name what to call it; the folder's name by default
 */
export function writeModelCard(folder: string, facts: TrainingFacts, name = nameOf(folder)): void {
  if (hasOwnReadme(folder)) return;
  const license = licenseOf(folder);
  const card = cardText({ license, ...facts }, name, readPrompts(folder), readSearchSettings(folder));
  write(folder, fs.existsSync(onnxFile(folder, 'fp32')) ? card : card + TOO_LARGE);
}

/** What a card calls the model in a folder. */
export const nameOf = (folder: string): string => path.basename(path.resolve(folder));

/** The licence that the card in a folder names. */
export function licenseOf(folder: string): string | undefined {
  const card = fs.existsSync(fileOf(folder)) ? fs.readFileSync(fileOf(folder), 'utf8') : '';
  return /^license: *([\w.+-]+)\s*$/m.exec(card.split('\n---\n')[0])?.[1];
}

/** Whether a folder's README.md was not written here. */
export const hasOwnReadme = (folder: string): boolean =>
  fs.existsSync(fileOf(folder)) && !fs.readFileSync(fileOf(folder), 'utf8').includes(MARK);

/**
 * Puts results into a model's card, in place of earlier ones, as a table and in the Hub's metadata.
 *
 * @param results the first is the model's own, searched as it was trained to be; others stand beside it in the table
 * @param measuredOn what was asked, a few words such as `200 questions about pellgarth_2024.pdf, 45 chunks`
 * @returns whether there is such a card
 */
export function addTestResults(folder: string, results: CardResult[], measuredOn: string): boolean {
  if (!fs.existsSync(fileOf(folder)) || hasOwnReadme(folder)) return false;
  const names = Object.keys(results[0].metrics);
  const shown = ({ value, low, high }: CardResult['metrics'][string]) =>
    `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
  const rows = results.map(({ retriever, metrics }) => [retriever, ...names.map((name) => shown(metrics[name]))]);
  const table = [['', ...names], names.map(() => '---').concat('---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const metadata = [
    'model-index:',
    `- name: ${JSON.stringify(nameOf(folder))}`,
    '  results:',
    '  - task: { type: information-retrieval, name: Information Retrieval }',
    `    dataset: { type: unknown, name: ${JSON.stringify(measuredOn)} }`,
    '    metrics:',
    ...names.map((name) => {
      const type = name.toLowerCase().replace(/\W+/g, '_');
      return `    - { type: ${type}, name: ${JSON.stringify(name)}, value: ${results[0].metrics[name].value.toFixed(4)} }`;
    }),
  ];
  const sentence = `On ${measuredOn}, which neither training nor any choice has seen; in brackets 95% intervals:`;
  const card = fs.readFileSync(fileOf(folder), 'utf8').replace(IN_METADATA, () => `${metadata.join('\n')}\n`);
  const withTable = card.replace(IN_TEXT, () => `${sentence}\n\n${table.join('\n')}\n`);
  write(folder, withTable);
  return true;
}

function cardText(facts: TrainingFacts, name: string, { query, document }: Prompts, search?: SearchSettings): string {
  const { base, license, train, validation, settings, steps, keptStep } = facts;
  const onHub = /^[\w.-]+\/[\w.-]+$/.test(base) && !base.startsWith('.');
  const dataset = ({ questions, chunks, sha256 }: DatasetFacts) =>
    `${questions} questions about ${chunks} chunks (SHA-256 ${sha256.slice(0, 16)}…)`;
  const code = (text: string) => `\`${JSON.stringify(text.replaceAll('`', "'"))}\``;
  const prompts = `A question is read after ${code(query)}, a passage after ${code(document)}, by the methods below.\n\n`;
  const kept = keptStep === undefined ? '' : `; the weights are those after step ${keptStep}, best on validation`;
  return `---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, sentence-similarity, feature-extraction, transformers.js]
${license ? `license: ${license}\n` : ''}${onHub ? `base_model: ${base}\n` : ''}# results
# end of results
---
${MARK}
# ${name}

An embedding model for search, fine-tuned from ${onHub ? `[${base}](https://huggingface.co/${base})` : `\`${base}\``} on
pairs of questions and the passages that answer them, by MultipleNegativesRankingLoss (in-batch negatives).

## Results

<!-- results -->
Not measured on test questions yet: the notebook evaluate does it, and writes it here.
<!-- end of results -->

## How it was trained

- Training: ${dataset(train)}
- Validation, which chose the checkpoint and the weight of keywords: ${dataset(validation)}
- ${steps} steps${kept}
- ${Object.entries(settings)
    .map(([setting, value]) => `${setting} ${value}`)
    .join(', ')}

## How to search with it

${query || document ? prompts : ''}${search?.windows ? windowsText(search) : ONE_VECTOR}

## Limits

It knows the kind of documents and the language it was trained on. It may do worse on others than its base: measure
before you rely on it. A vector says what a text is about, not whether it is true.
`;
}

const PYTHON = `\`\`\`python
from sentence_transformers import SentenceTransformer
model = SentenceTransformer("path/to/this/folder")`;

/** See `exportOnnx`. */
const TOO_LARGE = `
In 32 bits it is too large for an ONNX file, of 2 GB at most: \`onnx/\` holds it in 8 bits (\`dtype: 'int8'\`).
`;

const ONE_VECTOR = `A passage has one vector; the highest cosine similarity comes first.

${PYTHON}
scores = model.similarity(model.encode_query(question), model.encode_document(passages))
\`\`\``;

function windowsText({ windows, windowTemperature, bm25Weight }: SearchSettings): string {
  const { size, stride } = windows!;
  const scale = Math.round(1 / windowTemperature);
  const keywords =
    bm25Weight === undefined ? '' : `\nBeside keyword search, a point of BM25 is worth ${bm25Weight} of a cosine.\n`;
  return `By windows: pieces of ${size} word pieces, a new one every ${stride}, have a vector each, and a passage's score is made
of theirs (\`search_settings.json\` holds these numbers).
${keywords}
${PYTHON}
ids = model.tokenizer(passage, add_special_tokens=False)["input_ids"]
windows = [model.tokenizer.decode(ids[i : i + ${size}]) for i in range(0, max(1, len(ids) - ${size - stride}), ${stride})]
cosines = model.similarity(model.encode_query(question), model.encode_document(windows))[0]
score = (${scale} * cosines).exp().mean().log() / ${scale}
\`\`\`

\`\`\`ts
import { createSearchIndex, loadSearchModel } from 'finetune-embedding/search';
const index = await createSearchIndex(await loadSearchModel('path/to/this/folder'), passagesById);
const found = await index.search(question);
\`\`\``;
}
