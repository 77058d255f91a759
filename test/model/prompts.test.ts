// What is put before a question and a document: where it comes from, what it does to ids and vectors, where it is kept.
import fs from 'node:fs';
import path from 'node:path';
import { type EmbeddingModel, loadModel, saveModel, windowedEmbedder, wordEmbedder } from 'finetune-embedding';
import { readPrompts } from 'finetune-embedding/dist/model/prompts.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyOfTiny, editJson, TINY, temporaryFolder, texts } from '../fixtures/engine';

const ABOUT = 'config_sentence_transformers.json';
const PROMPTS = { query: 'what port: ', document: 'the loss: ' };
const LONG = 'ferry rate, many in the port '.repeat(12);
const TEXTS = [...texts.tinyTexts, ...texts.tinyPairs[0], LONG];

const baseThatSays = (about: unknown) =>
  copyOfTiny((folder) => fs.writeFileSync(path.join(folder, ABOUT), JSON.stringify(about)));
async function load(folder: string, options?: Parameters<typeof loadModel>[1]): Promise<EmbeddingModel> {
  const model = await loadModel(folder, options);
  onTestFinished(() => model.dispose());
  return model;
}

describe('a model’s prompts', () => {
  const both = (text: string) => ({ query: text, document: text });
  it.each<[string, object, object]>([
    ['say both', { prompts: { query: 'q ', document: 'd ', passage: 'p ' } }, { query: 'q ', document: 'd ' }],
    [
      'call documents passages',
      { prompts: { query: 'q ', corpus: 'c ', passage: 'p ' } },
      { query: 'q ', document: 'p ' },
    ],
    ['call documents a corpus', { prompts: { corpus: 'c ' } }, { query: '', document: 'c ' }],
    ['have a default', { prompts: { 'a.b': 'x ' }, default_prompt_name: 'a.b' }, both('x ')],
    [
      'say that there is none',
      { prompts: { query: '', x: 'x ' }, default_prompt_name: 'x' },
      { query: '', document: 'x ' },
    ],
    ['say nothing', { prompts: {}, default_prompt_name: null }, both('')],
  ])('come from its folder: those that %s', (_, about, prompts) => {
    expect(readPrompts(baseThatSays(about), 'some/model')).toEqual(prompts);
  });

  it.each([
    ['intfloat/e5-small-v2', 'query: ', 'passage: '],
    ['../models/multilingual-e5-base', 'query: ', 'passage: '],
    ['BAAI/bge-small-en', 'Represent this sentence for searching relevant passages: ', ''],
    ['BAAI/bge-large-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
    ['intfloat/e5-mistral-7b-instruct', '', ''],
    ['somebody/bge-small-en-finetuned', '', ''],
  ])('are known of %s, unless its folder says another', (name, query, document) => {
    expect(readPrompts(TINY, name)).toEqual({ query, document });
    expect(readPrompts(baseThatSays({ prompts: { query: '', document: '' } }), name)).toEqual(both(''));
  });

  it('are those chosen, the empty one too; "auto" leaves the choice to the model', async () => {
    const base = baseThatSays({ prompts: PROMPTS });
    const chosen = await load(base, { prompts: { query: '', document: 'auto' } });
    expect(chosen.prompts).toEqual({ query: '', document: PROMPTS.document });
    expect(readPrompts(TINY, 'e5-base', { query: 'auto', document: 'my: ' })).toEqual({
      query: 'query: ',
      document: 'my: ',
    });
    expect((await load(base)).prompts).toEqual(PROMPTS);
  });

  it('give the ids and vectors of prompt and text, cut at the same length', async () => {
    const [plain, prompted] = [await load(TINY), await load(TINY, { prompts: PROMPTS })];
    for (const [tokenizer, prompt] of [
      [prompted.queryTokenizer, PROMPTS.query],
      [prompted.documentTokenizer, PROMPTS.document],
    ] as const) {
      for (const text of TEXTS) {
        const own = tokenizer.encode(text, 64);
        expect(own).toEqual(plain.tokenizer.encode(prompt + text, 64));
        const { before, after } = tokenizer.around;
        const whole = [...before, ...tokenizer.encodeWhole(text), ...after];
        expect([...own]).toEqual(whole.length <= 64 ? whole : [...whole.slice(0, 63), ...after]);
      }
    }
    expect(plain.queryTokenizer).toBe(plain.tokenizer);
    const following = (prompt: string) => TEXTS.map((text) => prompt + text);
    expect(await prompted.embedQueries(TEXTS)).toEqual(await plain.embedQueries(following(PROMPTS.query)));
    expect(await prompted.embedDocuments(TEXTS)).toEqual(await plain.embedDocuments(following(PROMPTS.document)));
    expect(await prompted.embedQueries(TEXTS)).not.toEqual(await plain.embedQueries(TEXTS));
  });

  it('stand before each window, which leaves room for them, and give their words no vectors', async () => {
    const [plain, prompted] = [await load(TINY), await load(TINY, { prompts: PROMPTS })];
    const ids = plain.tokenizer.encodeWhole(LONG);
    const windows = { size: 20, stride: 20 };
    const parts = Array.from({ length: Math.ceil(ids.length / 20) }, (_, i) => ids.subarray(20 * i, 20 * (i + 1)));
    const written = parts.map((own) => PROMPTS.document + plain.tokenizer.pieces(own).join(' '));
    const { vectors, owners } = await windowedEmbedder(prompted, windows).embedDocuments([LONG]);
    expect(owners.length).toBe(parts.length);
    expect(vectors).toEqual((await plain.embedDocuments(written)).vectors);

    const own = plain.tokenizer.encodeWhole(PROMPTS.query).length;
    const question = 'many ferry in the port';
    const words = await wordEmbedder(prompted, windows).embedQueries([question]);
    const [everything] = await plain.embedWords([plain.tokenizer.encode(PROMPTS.query + question, 64)]);
    expect(words.rows).toBe(5);
    expect(words.data).toEqual(everything.data.slice(own * everything.columns));

    const room = 64 - 2 - plain.tokenizer.encodeWhole(PROMPTS.document).length;
    const refusal = new RegExp(`Windows of ${room + 1} word pieces are more than the model's ${room} after a prompt`);
    expect(() => windowedEmbedder(prompted, { size: room + 1, stride: 1 })).toThrow(refusal);
    expect(() => wordEmbedder(prompted, { size: room + 1 })).toThrow(refusal);
    expect(
      (await windowedEmbedder(prompted, { size: room, stride: 1 }).embedDocuments([LONG])).owners.length,
    ).toBeGreaterThan(1);
  });

  it('are saved with it, beside whatever else its base says of itself', async () => {
    const about = {
      prompts: { query: 'q ', passage: 'p ', clustering: 'c ' },
      default_prompt_name: 'clustering',
      extra: [1],
    };
    const model = await load(baseThatSays(about), { prompts: { query: PROMPTS.query, document: 'auto' } });
    const folder = path.join(temporaryFolder(), 'saved');
    await saveModel(model, folder);
    const prompts = { query: PROMPTS.query, passage: 'p ', clustering: 'c ', document: 'p ' };
    const saved = { ...about, prompts, similarity_fn_name: 'cosine' };
    expect(JSON.parse(fs.readFileSync(path.join(folder, ABOUT), 'utf8'))).toEqual(saved);
    const again = await load(folder);
    expect(again.prompts).toEqual({ query: PROMPTS.query, document: 'p ' });
    expect(await again.embedQueries(TEXTS)).toEqual(await model.embedQueries(TEXTS));
  });

  it('that there are none of is saved too: a name does not count for a trained model', async () => {
    const folder = path.join(temporaryFolder(), 'bge-small-en');
    await saveModel(await load(TINY), folder);
    expect((await load(folder)).prompts).toEqual(both(''));
  });

  it.each<[string, unknown, RegExp]>([
    ['no texts', { prompts: { query: 7 } }, /prompts is {"query":7}, not texts by name/],
    [
      'a default that is none',
      { prompts: { a: 'a ' }, default_prompt_name: 'b' },
      /default_prompt_name is "b", none of/,
    ],
    [
      'one that a text runs into',
      { prompts: { query: 'port' } },
      /"port" runs into the text.*End the prompt with a space/,
    ],
    ['one that is too long', { prompts: { document: LONG } }, /MAX_SEQ_LENGTH is 64; .*takes \d\d+ to 64 tokens/],
  ])('are refused, by file: %s', async (_, about, message) => {
    const folder = baseThatSays(about);
    await expect(loadModel(folder)).rejects.toThrow(message);
    await expect(loadModel(folder)).rejects.toThrow(/(config_sentence_transformers|tokenizer)\.json/);
  });

  it('leave room for a text, or MAX_SEQ_LENGTH is refused', async () => {
    const takes = 2 + (await load(TINY)).tokenizer.encodeWhole(PROMPTS.query).length;
    const loading = (maxSeqLength: number) => load(TINY, { maxSeqLength, prompts: PROMPTS });
    await expect(loading(takes)).rejects.toThrow(`takes ${takes + 1} to 64 tokens, prompts`);
    expect((await loading(takes + 1)).maxSeqLength).toBe(takes + 1);
  });

  it('are pooled with the text, or the folder is refused', async () => {
    const folder = copyOfTiny((copy) =>
      editJson<object>(copy, '1_Pooling/config.json', (pooling) => Object.assign(pooling, { include_prompt: false })),
    );
    await expect(loadModel(folder)).rejects.toThrow(/1_Pooling\/config\.json: include_prompt is false, which is not/);
  });
});
