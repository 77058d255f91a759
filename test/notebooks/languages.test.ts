// A German and a Japanese document on the way of the three notebooks: what works in other languages, and what does not.
import fs from 'node:fs';
import path from 'node:path';
import * as fe from 'finetune-embedding';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import type { QuestionStyle } from 'finetune-embedding/dist/questions/generator.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../fixtures/engine';
import { FakeOpenAI } from '../questions/fake-openai';
import { FIVE_STEPS } from '../train/five-steps';

/** Questions, each with words that only its passage has, in chunks of about two paragraphs. */
const DOCUMENTS = {
  German: {
    file: 'faehrverein.md',
    chunkSize: 200,
    sentenceEnd: /[.“]$/,
    questions: {
      'von elf Familien gegründet': 'Wie viele Familien haben den Fährverein gegründet?',
      Emdenhafen: 'Welches Schiff hat einen gegen Eis verstärkten Rumpf?',
      'im Winter um 6:15 Uhr': 'Wann legt die erste Fähre im Sommer ab?',
      'kostete 310.000 Euro': 'Was kostete die Reparatur nach dem Unglück?',
      'Zuschuss von 260.000': 'Wie hoch war der Zuschuss vom Landkreis?',
      'die Strömung verändert': 'Warum hat der Verein Einspruch gegen den Tunnel erhoben?',
    },
  },
  Japanese: {
    file: 'toshokan.md',
    chunkSize: 300,
    sentenceEnd: /。$/,
    questions: {
      森下ハル: '図書館の初代館長は誰ですか。',
      午後七時まで: '図書館は何時に閉館しますか。',
      毎月第二土曜日: '移動図書船「かもめ号」はいつ島を回りますか？',
      百十二冊: '漁業日誌は何冊保管されていますか。',
      屋根の修理: '屋根の修理にはいくらかかりましたか。',
      太陽光パネル: '太陽光パネルはどこに置かれますか。',
    },
  },
};

describe.each(Object.entries(DOCUMENTS))('a document in %s', (_, { file, chunkSize, sentenceEnd, questions }) => {
  const document = path.resolve('test/fixtures/languages', file);

  async function chunksOf() {
    const { pages } = await fe.readDocuments([document]);
    return fe.chunkPages(pages, { chunkSize, chunkOverlap: 0 });
  }

  /** Its dataset by a server that knows the questions, through the gate. */
  async function generate(folder: string) {
    const known = Object.entries(questions);
    const server = await FakeOpenAI.start({
      questions: (passage) => known.filter(([words]) => passage.includes(words)).map(([, question]) => question),
    });
    onTestFinished(() => server.close());
    const llm = { model: 'm', cacheDir: folder, styles: ['question'] as QuestionStyle[] };
    const { generator } = fe.chooseGenerator('openai', { OPENAI_BASE_URL: server.url }, llm);
    const chunks = await chunksOf();
    const asked = await generator.generate(chunks, { questionsPerChunk: 3 });
    const model = await fe.loadModel('all-MiniLM-L6-v2'); // as generate_dataset has it
    onTestFinished(() => model.dispose());
    return { chunks, asked, gated: await fe.createQuestionGate(model, chunks, { roundTripTop: 10 })(asked) };
  }

  it('is cut at the ends of sentences, or after a heading', async () => {
    const chunks = await chunksOf();
    const lines = fs.readFileSync(document, 'utf8').split('\n');
    expect(chunks.length).toBeGreaterThan(3);
    for (const { text } of chunks) {
      const lastLine = text.split('\n').at(-1)!;
      if (!lines.includes(`## ${lastLine}`)) expect(lastLine).toMatch(sentenceEnd);
    }
  });

  it('has no offline questions, and says so', async () => {
    const { generator } = fe.chooseGenerator('offline', {}, { model: '', cacheDir: '' });
    await expect(generator.generate(await chunksOf(), { questionsPerChunk: 2 })).rejects.toThrow(
      /Offline questions are in English only, and none of the \d+ chunk\(s\) is in English/,
    );
  });

  it('is asked about, trained on and searched with an encoder that knows its script', async () => {
    const folder = temporaryFolder();
    const model = await fe.loadModel('test/fixtures/tiny-xlm-roberta');
    onTestFinished(() => model.dispose());
    const { chunks, asked, gated } = await generate(folder);
    expect([...asked.questions.values()].flat()).toHaveLength(Object.keys(questions).length);
    expect(gated.dropped).toEqual([]);
    const data = fe.buildDataset(chunks, gated.questions);

    const windows = fe.fitWindows(model, 40, 20);
    const outputDir = path.join(folder, 'model');
    const before = storedWeights(model).get('embeddings.word_embeddings.weight')!.data.slice();
    const { steps } = await fe.train(model, {
      data,
      recipe: { ...FIVE_STEPS, windows, batchSize: 3 },
      outputDir,
      seed: 1,
    });
    expect(steps.length).toBeGreaterThanOrEqual(2);
    for (const { loss } of steps) expect(loss).toBeGreaterThan(0);

    const trained = await fe.loadModel(outputDir);
    onTestFinished(() => trained.dispose());
    expect(storedWeights(trained).get('embeddings.word_embeddings.weight')!.data).not.toEqual(before);
    for (const way of [trained, fe.windowedEmbedder(trained, windows), fe.wordEmbedder(trained, windows)]) {
      const { metrics } = await fe.evaluateEmbedder(way, data, { topK: 5 });
      expect(metrics['MAP@100'], way.name).toBeGreaterThan(0);
    }
    for (const search of [{}, { windows: fe.BM25_WINDOWS }]) {
      const rankings = fe.rankByBm25(data, { ...search, topK: Number.POSITIVE_INFINITY });
      expect(fe.evaluateRanking(rankings, data, { topK: 1 }).hitRate).toBeGreaterThan(0.8);
    }
  });
});
