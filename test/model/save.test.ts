import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { loadModel, saveModel, writeModelCard, writeSearchSettings } from 'finetune-embedding';
import { loadWeights } from 'finetune-embedding/dist/model/load.js';
import { readSafetensors, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { storedWeights } from 'finetune-embedding/dist/model/save.js';
import { readSearchSettings } from 'finetune-embedding/dist/model/search-settings.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyOfTiny, editJson, embeddedTexts, loadTiny, TINY, temporaryFolder, tensorsIn } from '../fixtures/engine';

const DATASET = { questions: 1, chunks: 1, sha256: 'ab'.repeat(32) };
const FACTS = { base: 'base', train: DATASET, validation: DATASET, settings: {}, steps: 1 };
const files = (folder: string) => fs.readdirSync(folder, { recursive: true }).map(String).sort();

describe('saveModel', () => {
  it('writes back every weight it read, under its own name, to the bit', async () => {
    const model = await loadTiny();
    const read = readSafetensors(path.join(TINY, 'model.safetensors'));
    const stored = storedWeights(model);
    expect([...stored.keys()].sort()).toEqual([...read.keys()].sort());
    for (const [name, { shape, data }] of read) {
      expect(stored.get(name)!.shape).toEqual(shape);
      expect(Buffer.compare(Buffer.from(stored.get(name)!.data.slice().buffer), Buffer.from(data.buffer))).toBe(0);
    }
  });

  it('saves weights that embeddings do not need as they were: a pooler', async () => {
    const pooler = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const source = copyOfTiny((folder) => {
      const file = path.join(folder, 'model.safetensors');
      writeSafetensors(file, tensorsIn(file).set('pooler.dense.weight', pooler));
    });
    const model = await loadModel(source);
    onTestFinished(() => model.dispose());
    const folder = path.join(temporaryFolder(), 'saved');
    await saveModel(model, folder);
    expect(tensorsIn(path.join(folder, 'model.safetensors')).get('pooler.dense.weight')).toEqual(pooler);
  });

  it('saves a model that is too large for an ONNX file, in 8 bits alone, and its card says so', async () => {
    const messages = createRequire(path.resolve('package.json'))('finetune-embedding/dist/model/onnx/messages.js');
    const { LARGEST_FILE } = messages;
    const model = await loadTiny();
    const folder = path.join(temporaryFolder(), 'large');
    const onnx = () => fs.readdirSync(path.join(folder, 'onnx')).sort();
    const card = () => fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
    await saveModel(model, folder);
    writeModelCard(folder, FACTS);
    expect(onnx()).toEqual(['model.onnx', 'model_int8.onnx']);
    expect(card()).not.toContain('ONNX');
    // Stands in for 2 GB: between the sizes of the two.
    messages.LARGEST_FILE = fs.statSync(path.join(folder, 'onnx', 'model.onnx')).size - 1;
    onTestFinished(() => {
      messages.LARGEST_FILE = LARGEST_FILE;
    });
    await saveModel(model, folder);
    writeModelCard(folder, FACTS);
    expect(onnx()).toEqual(['model_int8.onnx']);
    expect(card()).toContain('too large for an ONNX file');
    const loaded = await loadModel(folder);
    onTestFinished(() => loaded.dispose());
    expect((await loaded.embedQueries(embeddedTexts)).data).toEqual((await model.embedQueries(embeddedTexts)).data);
  });

  it.each([
    ['mean', true],
    ['cls', false],
  ] as const)('makes a folder that loads as the same model (%s, normalised %s)', async (mode, normalize) => {
    const model = await loadTiny(mode, normalize);
    const folder = path.join(temporaryFolder(), 'deep/er');
    await saveModel(model, folder);
    const loaded = await loadModel(folder, { name: 'again' });
    onTestFinished(() => loaded.dispose());
    expect(loaded.name).toBe('again');
    expect(loaded.encoder.pooling).toEqual({ mode, normalize });
    expect((await loaded.embedQueries(embeddedTexts)).data).toEqual((await model.embedQueries(embeddedTexts)).data);
    expect(files(path.dirname(folder)).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('replaces a model that is there, keeps other files, and can save onto its own folder', async () => {
    const folder = path.join(temporaryFolder(), 'model');
    const model = await loadTiny();
    await saveModel(model, folder);
    fs.writeFileSync(path.join(folder, 'notes.txt'), 'mine');
    const own = await loadModel(folder);
    onTestFinished(() => own.dispose());
    const before = files(folder);
    await saveModel(own, folder);
    const isPrevious = (name: string) => name.startsWith('.previous');
    expect(files(folder).filter((name) => !isPrevious(name))).toEqual(before);
    const previous = files(folder).filter((name) => /^\.previous[\\/]/.test(name));
    expect(previous.map((name) => name.slice('.previous/'.length))).toEqual(
      before.filter((name) => name !== 'notes.txt'),
    );
    expect(fs.readFileSync(path.join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('replaces a model in shards, which no longer counts', async () => {
    const folder = copyOfTiny((copy) => {
      const file = path.join(copy, 'model.safetensors');
      const all = [...readSafetensors(file)];
      const shards = {
        'model-00001-of-00002.safetensors': all.slice(0, 9),
        'model-00002-of-00002.safetensors': all.slice(9),
      };
      const index: Record<string, string> = {};
      for (const [name, weights] of Object.entries(shards)) {
        writeSafetensors(path.join(copy, name), new Map(weights));
        for (const [weight] of weights) index[weight] = name;
      }
      fs.rmSync(file);
      fs.writeFileSync(path.join(copy, 'model.safetensors.index.json'), JSON.stringify({ weight_map: index }));
    });
    const model = await loadModel(folder);
    onTestFinished(() => model.dispose());
    const tiny = await loadTiny();
    const before = (await tiny.embedQueries(embeddedTexts)).data;
    expect((await model.embedQueries(embeddedTexts)).data).toEqual(before);
    const name = 'encoder.layer.0.output.dense.bias';
    const biases = model.weights.get(name)!;
    model.weights.set(name, biases.add(1));
    biases.dispose();
    await saveModel(model, folder);
    const loaded = await loadModel(folder);
    onTestFinished(() => loaded.dispose());
    const after = (await loaded.embedQueries(embeddedTexts)).data;
    expect(after).toEqual((await model.embedQueries(embeddedTexts)).data);
    expect(after).not.toEqual(before);
  });

  it('keeps the length the model was trained with', async () => {
    const folder = path.join(temporaryFolder(), 'model');
    const model = await loadModel(TINY, { maxSeqLength: 17 });
    onTestFinished(() => model.dispose());
    await saveModel(model, folder);
    const loaded = await loadModel(folder);
    onTestFinished(() => loaded.dispose());
    expect(loaded.maxSeqLength).toBe(17);
    expect(loaded.tokenizer.encode('the ferry '.repeat(20), loaded.maxSeqLength).length).toBe(17);
  });

  it('tells every reader of the tokenizer the length it was trained with, and keeps what the base says of itself', async () => {
    const about = { prompts: { query: 'query: ' }, default_prompt_name: null, similarity_fn_name: 'dot' };
    const base = copyOfTiny((copy) => {
      editJson<Record<string, unknown>>(copy, 'tokenizer.json', (tokenizer) => {
        tokenizer.truncation = { direction: 'Right', max_length: 12, strategy: 'LongestFirst', stride: 0 };
        tokenizer.padding = { strategy: { Fixed: 12 }, pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' };
      });
      fs.writeFileSync(path.join(copy, 'config_sentence_transformers.json'), JSON.stringify(about));
    });
    const model = await loadModel(base, { maxSeqLength: 40 });
    onTestFinished(() => model.dispose());
    const folder = path.join(temporaryFolder(), 'model');
    await saveModel(model, folder);
    const read = (name: string, from = folder) => JSON.parse(fs.readFileSync(path.join(from, name), 'utf8'));
    const truncation = { direction: 'Right', max_length: 40, strategy: 'LongestFirst', stride: 0 };
    expect(read('tokenizer.json')).toEqual({ ...read('tokenizer.json', base), truncation, padding: null });
    const settings = read('tokenizer_config.json', base);
    expect(read('tokenizer_config.json')).toEqual({ ...settings, model_max_length: 40 });
    expect(read('sentence_bert_config.json').max_seq_length).toBe(40);
    expect(read('config_sentence_transformers.json')).toEqual({
      ...about,
      prompts: { query: 'query: ', document: '' },
      similarity_fn_name: 'cosine',
    });
  });

  it('loadWeights puts a saved model back', async () => {
    const folder = path.join(temporaryFolder(), 'model');
    const model = await loadTiny();
    await saveModel(model, folder);
    const before = (await model.embedQueries(embeddedTexts)).data;
    const name = 'encoder.layer.0.output.dense.bias';
    const biases = model.weights.get(name)!;
    model.weights.set(name, biases.add(1));
    biases.dispose();
    expect((await model.embedQueries(embeddedTexts)).data).not.toEqual(before);
    await loadWeights(model, folder);
    expect((await model.embedQueries(embeddedTexts)).data).toEqual(before);
  });

  it('a model whose folder got another one says to load it again', async () => {
    const folder = path.join(temporaryFolder(), 'model');
    const other = await loadTiny();
    await saveModel(other, folder);
    const model = await loadModel(folder);
    onTestFinished(() => model.dispose());
    await saveModel(other, folder);
    await expect(model.embedQueries(embeddedTexts)).rejects.toThrow(/model\.safetensors is no longer .*load the model/);
    expect((await other.embedQueries(embeddedTexts)).rows).toBe(embeddedTexts.length);
    await saveModel(other, other.folder); // its own words move
    expect((await other.embedQueries(embeddedTexts)).rows).toBe(embeddedTexts.length);
  });

  it('keeps how the model is searched with beside it, and takes an earlier model’s away', async () => {
    const folder = path.join(temporaryFolder(), 'saved');
    const model = await loadTiny();
    model.search = { windows: { size: 48, stride: 24 }, windowTemperature: 0.05 };
    await saveModel(model, folder);
    const reloaded = await loadModel(folder);
    onTestFinished(() => reloaded.dispose());
    expect(reloaded.search).toEqual(model.search);
    writeSearchSettings(folder, { ...model.search, bm25Weight: 0.0125 });
    expect(readSearchSettings(folder)).toEqual({ ...model.search, bm25Weight: 0.0125 });
    model.search = undefined;
    await saveModel(model, folder);
    expect(readSearchSettings(folder)).toBeUndefined();
    expect(files(folder)).not.toContain('search_settings.json');
  });

  it.each([
    ['{"window_temperature": "warm"}', /search_settings\.json: window_temperature is "warm", not a number from 0/],
    [
      '{"window_temperature": 0.05, "windows": {"size": 94, "stride": 95}}',
      /windows\.stride is 95, not a whole number from 1 to 94/,
    ],
    ['{"window_temperature": 0.05, "bm25_weight": -1}', /bm25_weight is -1/],
  ])('refuses search settings that nobody can search with: %s', (json, message) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'search_settings.json'), json);
    expect(() => readSearchSettings(folder)).toThrow(message);
  });
});
