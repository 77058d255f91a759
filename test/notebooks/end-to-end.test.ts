// The three notebooks, run one after the other as `npm start` runs them, on documents of a page: what they leave behind.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from '@huggingface/transformers';
import { loadModel, readDataset } from 'finetune-embedding';
import { METRIC_NAMES } from 'finetune-embedding/dist/evaluate/metrics.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeOpenAI } from '../questions/fake-openai';
import { answered, EXERCISES } from './answers';
import {
  BAKERY,
  complaints,
  FERRY,
  figureTitles,
  GARDEN,
  GOLDEN,
  NOTEBOOKS,
  type NotebookRun,
  OBSERVATORY,
  outputTexts,
  Workplace,
} from './slice';

const ALL_RAN = 100_000;
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'notebooks-'));
// Notebooks find the library from where they are.
const answers = path.resolve(`runs/answered-${process.pid}`);
afterAll(() => {
  for (const folder of [temporary, answers]) fs.rmSync(folder, { recursive: true, force: true });
});

/** A CSV's rows as records. */
function readCsv(file: string): Record<string, string>[] {
  const [header, ...rows] = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return rows.map((row) => Object.fromEntries(row.split(',').map((value, i) => [names[i], value])));
}

function filesBelow(folder: string): string[] {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** The embedding of each text by the library. */
async function embed(folder: string, texts: string[]): Promise<number[][]> {
  const model = await loadModel(folder);
  const { data, columns } = await model.embedQueries(texts);
  model.dispose();
  return texts.map((_, i) => Array.from(data.subarray(i * columns, (i + 1) * columns)));
}

function largestDifference(a: number[][], b: number[][]): number {
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i][j]))));
}

const TEXTS = ['When does the bakery open?', 'The mirror is washed once a year with distilled water.'];

describe('offline, with golden questions about documents to test on', () => {
  const workplace = new Workplace(path.join(temporary, 'offline'), { QUESTION_GENERATOR: 'offline', TOP_K: '3' });
  let runs: Record<string, NotebookRun>;

  beforeAll(async () => {
    const train = [workplace.write('docs/bakery.md', BAKERY), workplace.write('docs/observatory.md', OBSERVATORY)];
    Object.assign(workplace.env, {
      TRAIN_FILES: train.join(','),
      VAL_FILES: workplace.write('docs/ferry.md', FERRY),
      TEST_FILES: workplace.write('docs/garden.md', GARDEN),
    });
    workplace.write('docs/garden.questions.json', JSON.stringify(GOLDEN));
    runs = await workplace.runAll();
  }, ALL_RAN);

  it('writes the twelve dataset files, the parts equal to the whole', async () => {
    for (const split of ['train', 'val', 'test']) {
      const whole = workplace.readJson(`data/${split}_dataset.json`);
      for (const part of ['corpus', 'queries', 'relevant_docs'])
        expect(workplace.readJson(`data/${split}_${part}.json`)).toEqual(whole[part]);
    }
    const train = await readDataset(workplace.path('data/train_dataset.json'));
    const corpus = Object.values(train.corpus);
    expect(corpus.length).toBeGreaterThanOrEqual(8);
    const words = (text: string) => text.match(/[a-z]+/gi)!.join(' ');
    const source = words(`${BAKERY} ${OBSERVATORY}`);
    for (const text of corpus) expect(source).toContain(words(text).slice(0, 40));
    const questions = Object.values(train.queries);
    expect(questions.length).toBeGreaterThan(corpus.length);
    for (const question of questions) expect(question).toMatch(/^\S.*\?$/);
  });

  it('asks the golden questions of the chunk that holds their evidence', () => {
    const { queries, corpus, relevant_docs } = workplace.readJson('data/test_dataset.json');
    expect(Object.values(queries).sort()).toEqual(GOLDEN.map(({ question }) => question).sort());
    for (const [id, question] of Object.entries(queries)) {
      const { evidence } = GOLDEN.find((golden) => golden.question === question)!;
      expect(relevant_docs[id].length).toBeGreaterThan(0);
      for (const chunk of relevant_docs[id]) expect(corpus[chunk].replace(/\s+/g, ' ')).toContain(evidence);
    }
  });

  it('leaves a model that this library and transformers.js read alike, and that is not the base model', async () => {
    const folder = workplace.path('exp_finetune');
    const modules = workplace.readJson('exp_finetune/modules.json');
    expect(modules.map(({ type }: { type: string }) => type.split('.').at(-1))).toEqual([
      'Transformer',
      'Pooling',
      'Normalize',
    ]);
    expect(workplace.readJson('exp_finetune/sentence_bert_config.json').max_seq_length).toBe(64);
    const ours = await embed(folder, TEXTS);
    const extract = await pipeline('feature-extraction', folder, { dtype: 'fp32', local_files_only: true });
    const theirs = (await extract(TEXTS, { pooling: 'mean', normalize: true })).tolist();
    await extract.dispose();
    expect(largestDifference(ours, theirs)).toBeLessThan(1e-5);
    const steps = Number(/the model after step (\d+)/.exec(outputTexts(runs.finetune.notebook).join('\n'))![1]);
    const base = await embed('sentence-transformers/all-MiniLM-L6-v2', TEXTS);
    if (steps > 0) expect(largestDifference(ours, base)).toBeGreaterThan(1e-4);
    else expect(largestDifference(ours, base)).toBeLessThan(1e-6);
  });

  it("writes metrics under sentence-transformers' names, and the row of each question they are made of", () => {
    const questions = Object.keys(workplace.readJson('data/test_queries.json'));
    const relevant = workplace.readJson('data/test_relevant_docs.json');
    const scores: Record<string, string[]> = { base: ['cosine', 'dot'], finetuned: ['cosine', 'dot'], bm25: ['bm25'] };
    for (const [name, functions] of Object.entries(scores)) {
      const [row, ...more] = readCsv(workplace.path(`results/Information-Retrieval_evaluation_${name}_results.csv`));
      expect(more).toEqual([]);
      const columns = functions.flatMap((score) => METRIC_NAMES.map((metric) => `${score}-${metric}`));
      expect(Object.keys(row)).toEqual(['epoch', 'steps', ...columns]);
      const rows: { is_hit: boolean; retrieved: string[]; expected: string; query: string }[] = workplace.readJson(
        `results/per_query_${name}.json`,
      );
      expect(rows.map(({ query }) => query)).toEqual(questions);
      for (const { is_hit, retrieved, expected, query } of rows) {
        expect(relevant[query]).toContain(expected);
        // Keyword search finds nothing where no word is shared.
        if (name !== 'bm25') expect(retrieved).toHaveLength(3);
        else expect(retrieved.length).toBeLessThanOrEqual(3);
        expect(is_hit).toBe(retrieved.some((id) => relevant[query].includes(id)));
      }
      const hitRate = rows.filter(({ is_hit }) => is_hit).length / rows.length;
      expect(Number(row[`${functions[0]}-Accuracy@3`])).toBeCloseTo(hitRate, 12);
    }
    const [run, ...more] = fs
      .readFileSync(workplace.path('results/runs.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(more).toEqual([]);
    const both = (way: string) => [`base${way}`, `fine-tuned${way}`];
    expect(Object.keys(run.results)).toEqual([
      ...['', ', windows', ', words', ', words + windows'].flatMap(both),
      'BM25',
      'BM25, windows',
      'fine-tuned, windows + BM25 by rank',
      ...[', windows + BM25 by score', ', words + windows + BM25 by score'].flatMap(both),
    ]);
    for (const [retriever, metrics] of Object.entries<Record<string, number>>(run.results)) {
      expect(Object.keys(run.intervals[retriever])).toEqual(Object.keys(metrics));
      for (const [metric, value] of Object.entries(metrics)) {
        const [low, high] = run.intervals[retriever][metric];
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
    }
    const [finetuned] = readCsv(workplace.path('results/Information-Retrieval_evaluation_finetuned_results.csv'));
    expect(run.results['fine-tuned']['MAP@100']).toBe(Number(finetuned['cosine-MAP@100']));
  });

  it('shows its figures, with no error among the outputs', () => {
    const titles = Object.fromEntries(NOTEBOOKS.map((name) => [name, figureTitles(runs[name].notebook)]));
    expect(titles.generate_dataset).toContain('Length of the chunks');
    expect(titles.finetune).toEqual(
      expect.arrayContaining([
        'Similarity of questions and chunks in one batch',
        'Training loss and evaluations',
        'Similarity of right and wrong pairs',
        'Time per stage',
        'Model and keywords together',
      ]),
    );
    expect(titles.evaluate).toEqual(
      expect.arrayContaining([
        'Models compared',
        'Hit rate over k',
        'Rank of the right chunk, question by question',
        'Map of chunks and questions',
      ]),
    );
    for (const name of NOTEBOOKS) {
      expect(complaints(runs[name].notebook)).toEqual([]);
      expect(runs[name].log).toContain(`${name}: all cells ran`);
    }
  });

  it('leaves a model that knows how it is searched with, and a card with what it reached', () => {
    const search = workplace.readJson('exp_finetune/search_settings.json');
    expect(search).toEqual({
      windows: { size: expect.any(Number), stride: expect.any(Number) },
      window_temperature: 0.05,
      bm25_weight: expect.any(Number),
    });
    const card = fs.readFileSync(workplace.path('exp_finetune/README.md'), 'utf8');
    const [run] = fs
      .readFileSync(workplace.path('results/runs.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [low, high] = run.intervals['fine-tuned, windows']['MAP@100'];
    const shown = [run.results['fine-tuned, windows']['MAP@100'], low, high].map((value) => value.toFixed(3));
    expect(card).toContain(`${shown[0]} (${shown[1]}–${shown[2]})`);
    expect(card).toContain(
      `range(0, max(1, len(ids) - ${search.windows.size - search.windows.stride}), ${search.windows.stride})`,
    );
  });

  it('says in so many words that OpenAI was left out', () => {
    expect(outputTexts(runs.evaluate.notebook).join('\n')).toContain('OPENAI_API_KEY is not set');
    expect(fs.existsSync(workplace.path('results/per_query_openai.json'))).toBe(false);
  });

  it('waits for answers to its exercises', () => {
    for (const name of NOTEBOOKS) {
      const waiting = outputTexts(runs[name].notebook).filter((text) => /Exercise \d: not answered yet\./.test(text));
      expect(waiting).toHaveLength(EXERCISES);
    }
  });

  it('leaves no unfinished files', () => {
    expect(filesBelow(workplace.folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });
});

describe('with a language model and OpenAI embeddings', () => {
  const KEY = 'sk-notebooks-0123456789abcdefghijkl';
  /** What lies in the environment of a run, used or not, and may be found nowhere after it. */
  const SECRETS = {
    OPENAI_API_KEY: KEY,
    HF_TOKEN: 'hf_notebooks0123456789abcdefghijklm',
    PDF_PASSWORD: 'the-password-of-0123456789-pages',
    AWS_SECRET_ACCESS_KEY: 'cloud0123456789abcdefghijklmnopqrstuvwxyz',
  };
  const expectNoSecret = (text: string | Buffer, where: string) => {
    for (const [name, secret] of Object.entries(SECRETS))
      expect(text.includes(secret), `${name} in ${where}`).toBe(false);
  };
  const workplace = new Workplace(path.join(temporary, 'openai'), {
    QUESTION_GENERATOR: 'openai',
    ...SECRETS,
    // So small a step changes no ranking: the base model stays the best.
    LEARNING_RATE: '1e-7',
  });
  let fake: FakeOpenAI;
  let runs: Record<string, NotebookRun>;

  beforeAll(async () => {
    fake = await FakeOpenAI.start({ apiKey: KEY });
    Object.assign(workplace.env, {
      OPENAI_BASE_URL: fake.url,
      TRAIN_FILES: workplace.write('docs/bakery.md', BAKERY),
      VAL_FILES: workplace.write('docs/garden.md', GARDEN),
    });
    runs = await workplace.runAll((name) => answered(name, answers));
  }, ALL_RAN);
  afterAll(() => fake.close());

  it('asks the model once for each chunk, of both splits where there are no golden questions', () => {
    for (const split of ['train', 'val']) {
      const { corpus, queries } = workplace.readJson(`data/${split}_dataset.json`);
      expect(Object.keys(queries)).toHaveLength(2 * Object.keys(corpus).length);
      for (const text of Object.values(corpus))
        expect(fake.calls.filter(({ passage }) => passage === text)).toHaveLength(1);
    }
  });

  it('compares with the embeddings of the server', () => {
    const { corpus, queries } = workplace.readJson('data/val_dataset.json');
    const sent = fake.calls.filter(({ path }) => path === '/v1/embeddings').flatMap(({ body }) => body.input ?? []);
    const texts = [...Object.values<string>(corpus), ...Object.values<string>(queries)];
    // Nothing is asked, or paid for, twice; beside the texts themselves there are windows of chunks.
    expect(new Set(sent).size).toBe(sent.length);
    for (const text of texts) expect(sent).toContain(text);
    const windows = sent.filter((text) => !texts.includes(text));
    expect(windows.length).toBeGreaterThan(0);
    for (const window of windows)
      expect(Object.values<string>(corpus).some((text) => text.includes(window))).toBe(true);
    const [row] = readCsv(workplace.path('results/Information-Retrieval_evaluation_openai_results.csv'));
    // The fake's questions and vectors are made of words, so that its vectors do better than chance.
    expect(Number(row['cosine-MAP@100'])).toBeGreaterThan(0.5);
    expect(workplace.readJson('results/per_query_openai.json')).toHaveLength(
      Object.keys(workplace.readJson('data/val_queries.json')).length,
    );
  });

  it('finds right answers to its exercises right', () => {
    for (const name of NOTEBOOKS) {
      const verdicts = outputTexts(runs[name].notebook).slice(-EXERCISES).join('\n');
      // A question that keywords alone find need not exist in so small a corpus.
      expect(verdicts.match(/Right[:.,]|There is no such question/g), verdicts).toHaveLength(EXERCISES);
    }
  });

  it('keeps the base model where training does not better it', async () => {
    expect(outputTexts(runs.finetune.notebook).join('\n')).toContain('the model after step 0');
    const base = await embed('sentence-transformers/all-MiniLM-L6-v2', TEXTS);
    expect(largestDifference(await embed(workplace.path('exp_finetune'), TEXTS), base)).toBeLessThan(1e-6);
  });

  it('shows a wrong key nowhere, and not what the server says of it either', async () => {
    const wrong = 'sk-wrong-0123456789abcdefghijklmn';
    const { code, log, notebook } = await workplace.run('generate_dataset', {
      OPENAI_API_KEY: wrong,
      DATA_DIR: workplace.path('wrong'),
    });
    expect(code).toBe(1);
    expect(log).toContain('401 Incorrect API key provided: [key]');
    for (const text of [log, JSON.stringify(notebook)]) expect(text).not.toContain(wrong);
    for (const file of filesBelow(workplace.folder)) expect(fs.readFileSync(file).includes(wrong), file).toBe(false);
  });

  it('shows no secret in an error: a model that the hub refuses, an address that holds a password', async () => {
    const url = `http://user:${SECRETS.PDF_PASSWORD}@127.0.0.1:1/v1`;
    const failing = [
      ['finetune', { BASE_MODEL: 'nobody/private', HF_ENDPOINT: new URL(fake.url).origin }, 'nobody/private'],
      [
        'generate_dataset',
        { OPENAI_BASE_URL: url, DATA_DIR: workplace.path('other') },
        'OPENAI_BASE_URL holds a user name',
      ],
    ] as const;
    for (const [name, settings, words] of failing) {
      const { code, log } = await workplace.run(name, settings);
      expect(code, log).toBe(1);
      expect(log).toContain(words);
      expectNoSecret(log, name);
    }
  });

  // The tests above have added the copies and files of runs that failed.
  it('shows no secret in any log, executed notebook, dataset, cache, model, card or list of runs', () => {
    for (const [name, { log, notebook }] of Object.entries(runs)) expectNoSecret(log + JSON.stringify(notebook), name);
    const files = filesBelow(workplace.folder);
    const names = ['README.md', 'model.safetensors', 'onnx/model.onnx'].map((name) => `exp_finetune/${name}`);
    for (const name of [...names, 'results/runs.jsonl', 'runs/finetune.ipynb'])
      expect(files).toContain(workplace.path(name));
    for (const file of files) expectNoSecret(fs.readFileSync(file), file);
  });
});

it('refuses a bad setting in one sentence that names it', async () => {
  const workplace = new Workplace(path.join(temporary, 'bad'), { CHUNK_SIZE: 'abc' });
  const { code, log } = await workplace.run('generate_dataset');
  expect(code).toBe(1);
  expect(log.trimEnd().split('\n').at(-1)).toMatch(
    /^generate_dataset, cell 1 of \d+ \(Settings\): CHUNK_SIZE is "abc" \(from the environment\), but must be .* 8192 .*\.$/,
  );
  expect(fs.existsSync(workplace.path('data'))).toBe(false);
});
