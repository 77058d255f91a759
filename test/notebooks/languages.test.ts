// A German and a Japanese document through the three notebooks: what a reader of them gets, and what they are told.
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { createSearchIndex, loadSearchModel } from 'finetune-embedding/search';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensorsIn } from '../fixtures/engine';
import { FakeOpenAI } from '../questions/fake-openai';
import { complaints, edited, NOTEBOOKS, type NotebookRun, outputTexts, Workplace } from './slice';

/** Questions, each with words that only its passage has: three to train on, and three that keywords find by stems. */
const DOCUMENTS = {
  German: {
    file: 'faehrverein.md',
    sentenceEnd: /[.“]$/,
    train: {
      'von elf Familien gegründet': 'Wie viele Familien haben den Fährverein gegründet?',
      Emdenhafen: 'Welches Schiff hat einen gegen Eis verstärkten Rumpf?',
      'im Winter um 6:15 Uhr': 'Wann legt die erste Fähre im Sommer ab?',
    },
    val: {
      'kostete 310.000 Euro': 'Wie viel kosteten die Reparaturen?',
      'Zuschuss von 260.000': 'Wie hoch waren die Zuschüsse der Landkreise?',
      'die Strömung verändert': 'Warum gab es gegen die geplanten Tunnel Einsprüche?',
    },
  },
  Japanese: {
    file: 'toshokan.md',
    sentenceEnd: /。$/,
    train: {
      森下ハル: '図書館の初代館長は誰ですか。',
      午後七時まで: '図書館は何時に閉館しますか。',
      毎月第二土曜日: '移動図書船「かもめ号」はいつ島を回りますか？',
    },
    val: {
      百十二冊: '漁業日誌は何冊保管されていますか。',
      屋根の修理: '屋根の修理にはいくらかかりましたか。',
      太陽光パネル: '太陽光パネルはどこに置かれますか。',
    },
  },
};

/** Jupyter serves the project's folder, so that is where a search box's files must lie. */
const folder = path.resolve(`runs/languages-${process.pid}`);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

/**
 * A base whose tokenizer knows both scripts: the tiny XLM-RoBERTa, with layers so weak that a text's vector is about
 * the mean of its pieces'. As it is, it has nearly one vector for all texts, and all questions would be repeats.
 */
function writeBase(): string {
  const base = path.join(folder, 'base');
  fs.cpSync('test/fixtures/tiny-xlm-roberta', base, { recursive: true });
  const weights = tensorsIn(path.join(base, 'model.safetensors'));
  for (const [name, { shape, data }] of weights)
    if (!/word_embeddings|LayerNorm\.weight/.test(name)) weights.set(name, { shape, data: data.map((x) => x / 5) });
  writeSafetensors(path.join(base, 'model.safetensors'), weights);
  const pooling = { word_embedding_dimension: 16, pooling_mode: 'mean' };
  fs.writeFileSync(path.join(base, '1_Pooling/config.json'), JSON.stringify(pooling));
  return base;
}

describe.each(Object.entries(DOCUMENTS))('documents in %s', (language, { file, sentenceEnd, train, val }) => {
  const [questionsToTrain, questionsToAsk] = [train, val].map((questions) => Object.entries<string>(questions));
  const [evidence, question] = questionsToAsk[2];
  const source = fs.readFileSync(path.join('test/fixtures/languages', file), 'utf8');
  const workplace = new Workplace(path.join(folder, language), {
    QUESTION_GENERATOR: 'openai',
    QUESTION_STYLES: 'question',
    EPOCHS: '2',
    BATCH_SIZE: '2',
    LEARNING_RATE: '0.01',
    TRAIN_WINDOW_SIZE: '24',
    TRAIN_WINDOW_STRIDE: '24',
    WINDOW_STRIDE: '12',
  });
  let runs: Record<string, NotebookRun>;
  const shownBy = (name: string) => outputTexts(runs[name].notebook).join('\n');

  beforeAll(async () => {
    const [title, ...sections] = source.split(/^(?=## )/m);
    const golden = questionsToAsk.map(([evidence, question]) => ({
      ...{ question, evidence, type: '数', section: 'Größe' },
    }));
    Object.assign(workplace.env, {
      BASE_MODEL: writeBase(),
      TRAIN_FILES: workplace.write(`docs/${language}.md`, title + sections.slice(0, 3).join('')),
      VAL_FILES: workplace.write('docs/val.md', sections.slice(3).join('')),
    });
    workplace.write('docs/val.questions.json', JSON.stringify(golden));
    const server = await FakeOpenAI.start({
      questions: (passage) =>
        questionsToTrain.filter(([words]) => passage.includes(words)).map(([, question]) => question),
    });
    workplace.env.OPENAI_BASE_URL = server.url;
    const ownQuestion = (name: string) =>
      name === 'evaluate'
        ? edited(name, workplace.path('notebooks'), [
            ['const QUESTION', "'What becomes of the deposit when a barrel never comes back?'", `'${question}'`],
          ])
        : undefined;
    runs = await workplace.runAll(ownQuestion);
    await server.close();
  }, 300_000);

  it('run to the end, without an error or a warning', () => {
    for (const name of NOTEBOOKS) {
      expect(complaints(runs[name].notebook), name).toEqual([]);
      expect(runs[name].log).toContain(`${name}: all cells ran`);
    }
  });

  it('become a dataset, in their own letters, cut at the ends of sentences or after a heading', () => {
    const letters = source.replace(/[#\s]/g, '');
    for (const [split, questions] of [['train', questionsToTrain] as const, ['val', questionsToAsk] as const]) {
      const { corpus, queries, relevant_docs } = workplace.readJson(`data/${split}_dataset.json`);
      expect(Object.values(queries).sort()).toEqual(questions.map(([, question]) => question).sort());
      for (const [id, question] of Object.entries(queries)) {
        const [evidence] = questions.find(([, asked]) => asked === question)!;
        for (const chunk of relevant_docs[id]) expect(corpus[chunk]).toContain(evidence);
      }
      for (const text of Object.values<string>(corpus)) {
        expect(letters).toContain(text.replace(/\s/g, ''));
        const lastLine = text.split('\n').at(-1)!;
        if (!source.includes(`## ${lastLine}\n`)) expect(lastLine).toMatch(sentenceEnd);
      }
    }
  });

  it('leave a model that has learnt', () => {
    expect(shownBy('finetune')).toMatch(/the model after step [1-9]/);
    const read = (folder: string) => readSafetensors(path.join(folder, 'model.safetensors'));
    const [base, trained] = [read(workplace.env.BASE_MODEL), read(workplace.env.OUTPUT_DIR)];
    expect([...trained.keys()].sort()).toEqual([...base.keys()].sort());
    const name = 'embeddings.word_embeddings.weight';
    expect(trained.get(name)!.data).not.toEqual(base.get(name)!.data);
  });

  it('are searched by all retrievers, by keywords without a miss', () => {
    const { results } = JSON.parse(fs.readFileSync(workplace.path('results/runs.jsonl'), 'utf8'));
    for (const way of ['', ', windows', ', words', ', words + windows + BM25 by score'])
      for (const model of ['base', 'fine-tuned']) {
        expect(results[model + way]['MAP@100']).toBeGreaterThan(0);
        expect(shownBy('evaluate')).toContain(`${model}${way}</td>`);
      }
    expect(results.BM25['MAP@100']).toBe(1);
    expect(results['BM25, windows']['MAP@100']).toBe(1);
  });

  it('are shown as they were written, in tables, figures and the search box', () => {
    for (const name of NOTEBOOKS) {
      const shown = JSON.stringify(runs[name].notebook);
      // What stands for a broken character, and UTF-8 taken for Windows-1252.
      expect(shown).not.toMatch(/\uFFFD|\\ud[89a-f]|Ã.|â€|[ãåæ][\u0080-\u00bf]/);
    }
    for (const [evidence, question] of questionsToAsk) {
      expect(shownBy('generate_dataset')).toContain(`>${question}<`);
      expect(shownBy('generate_dataset')).toContain(`>${evidence}<`);
      expect(outputTexts(runs.evaluate.notebook).find((html) => html.includes('Map of chunks'))).toContain(question);
    }
    const [matched] = outputTexts(runs.evaluate.notebook).filter((html) => html.includes('class="matched-words"'));
    // Each word, and in Japanese each word piece, for itself.
    expect(matched.match(/data-finds/g)!.length).toBeGreaterThan(4);
  });

  it('answer a question of the reader, in the notebook, in the search box and by the index', async () => {
    const [ownTable] = outputTexts(runs.evaluate.notebook).filter((html) => html.includes(`<caption>${question}`));
    expect(ownTable).toMatch(new RegExp(`<td[^>]*>1</td>.*${evidence}.*<td[^>]*>2</td>`, 's'));
    const [box] = outputTexts(runs.evaluate.notebook).filter((html) => html.includes('class="search-box"'));
    expect(box).toContain(evidence);
    const { models, windows } = workplace.readJson('results/search/box.json');
    expect(models).toHaveLength(2);
    expect(windows.flat().length).toBeGreaterThan(windows.length);

    const model = await loadSearchModel(workplace.env.OUTPUT_DIR);
    const { corpus } = workplace.readJson('data/val_dataset.json');
    const index = await createSearchIndex(model, corpus, { words: true });
    const [found] = await index.search(question, 1);
    await model.dispose();
    expect(found.text).toContain(evidence);
    expect(found.text.slice(...found.window)).not.toBe('');
    expect(found.text.slice(...found.window).length).toBeLessThan(found.text.length);
  });

  it('have no offline questions, and generate_dataset says so', async () => {
    const refused = { QUESTION_GENERATOR: 'offline', DATA_DIR: workplace.path('offline') };
    const { code, log } = await workplace.run('generate_dataset', refused);
    expect(code).toBe(1);
    expect(log.trimEnd().split('\n').at(-1)).toMatch(
      /\(Ask questions about each chunk\): Offline questions are in English only, and none of the \d+ chunk\(s\) is in English/,
    );
  });
});
