import fs from 'node:fs';
import path from 'node:path';
import { loadModel } from 'finetune-embedding';
import { readEncoderConfig, readPoolingConfig } from 'finetune-embedding/dist/model/config.js';
import { readSafetensors, type StoredTensor, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyOfTiny, editJson, TINY, temporaryFolder, tensorsIn } from '../fixtures/engine';

type Json = Record<string, unknown>;

/** Loads a copy of the tiny model with one file edited. */
const loadEdited = (name: string, edit: (content: Json) => void) =>
  loadModel(copyOfTiny((folder) => editJson<Json>(folder, name, edit)));

/** Loads a copy of the tiny model with its weights changed. */
const loadWithWeights = (change: (weights: Map<string, StoredTensor>) => void) =>
  loadModel(
    copyOfTiny((folder) => {
      const file = path.join(folder, 'model.safetensors');
      const weights = tensorsIn(file);
      change(weights);
      writeSafetensors(file, weights);
    }),
  );

describe('a model folder', () => {
  it('is read: shape, pooling, sentence length', async () => {
    expect(readEncoderConfig(TINY)).toEqual({
      modelType: 'bert',
      vocabSize: 120,
      hiddenSize: 32,
      layers: 2,
      heads: 4,
      intermediateSize: 64,
      maxPositions: 64,
      firstPosition: 0,
      typeVocabSize: 2,
      layerNormEps: 1e-12,
    });
    expect(readPoolingConfig(TINY)).toEqual({ mode: 'mean', normalize: true });
    const model = await loadModel(TINY);
    onTestFinished(() => model.dispose());
    expect(model.maxSeqLength).toBe(64);
    const stored = [...readSafetensors(path.join(TINY, 'model.safetensors')).values()];
    expect(model.parameterCount).toBe(stored.reduce((sum, { data }) => sum + data.length, 0));
  });

  it('may name its pooling mode, as newer folders do, or have no modules at all', () => {
    const named = copyOfTiny((folder) =>
      fs.writeFileSync(path.join(folder, '1_Pooling/config.json'), '{"pooling_mode": "cls"}'),
    );
    expect(readPoolingConfig(named)).toEqual({ mode: 'cls', normalize: true });
    const plain = copyOfTiny((folder) => fs.rmSync(path.join(folder, 'modules.json')));
    expect(readPoolingConfig(plain)).toEqual({ mode: 'mean', normalize: false });
  });

  it('may leave open which token is padding, where positions do not depend on it', async () => {
    const model = await loadEdited('config.json', (config) => Object.assign(config, { pad_token_id: null }));
    onTestFinished(() => model.dispose());
    expect(model.encoder.config.firstPosition).toBe(0);
  });

  it('takes weights with a bert. prefix', async () => {
    const model = await loadWithWeights((weights) => {
      for (const [name, tensor] of [...weights]) {
        weights.delete(name);
        weights.set(`bert.${name}`, tensor);
      }
    });
    onTestFinished(() => model.dispose());
    expect(model.parameterCount).toBeGreaterThan(20_000);
  });

  it.each<[string, (config: Json) => void, RegExp]>([
    [
      'another architecture',
      (c) => Object.assign(c, { model_type: 'deberta-v2' }),
      /model_type is "deberta-v2".*BERT.*MPNet/,
    ],
    ['a key of objects', (c) => Object.assign(c, { model_type: 'constructor' }), /model_type is "constructor"/],
    [
      'other distances',
      (c) => Object.assign(c, { relative_attention_num_buckets: 64 }),
      /relative_attention_num_buckets is 64/,
    ],
    [
      'too few positions for those before a text',
      (c) => Object.assign(c, { model_type: 'roberta', pad_token_id: 62 }),
      /max_position_embeddings is 64, not a whole number from 66/,
    ],
    ['another activation', (c) => Object.assign(c, { hidden_act: 'gelu_new' }), /hidden_act is "gelu_new"/],
    [
      'relative positions',
      (c) => Object.assign(c, { position_embedding_type: 'relative_key' }),
      /position_embedding_type is "relative_key"/,
    ],
    ['no size', (c) => Object.assign(c, { hidden_size: undefined }), /hidden_size is undefined/],
    ['heads that do not divide', (c) => Object.assign(c, { num_attention_heads: 5 }), /32 is no multiple.*5/],
    [
      'a layer too many',
      (c) => Object.assign(c, { num_hidden_layers: 3 }),
      /no weight "encoder\.layer\.2\..*config\.json/,
    ],
    [
      'another vocabulary',
      (c) => Object.assign(c, { vocab_size: 121 }),
      /word_embeddings\.weight" is \[120,32\].*\[121,32\]/,
    ],
  ])('is refused by name: %s', async (_, edit, message) => {
    await expect(loadEdited('config.json', edit)).rejects.toThrow(message);
  });

  it('may be a ModernBERT, in the words of transformers 4 or 5', () => {
    const modern = path.resolve('test/fixtures/tiny-modernbert');
    const { rotary, layerNormEps } = readEncoderConfig(modern);
    expect(layerNormEps).toBe(1e-5);
    expect(rotary!.map(({ reach }) => reach)).toEqual([Number.POSITIVE_INFINITY, 8, Number.POSITIVE_INFINITY]);
    // theta^(−2i/8) of 160,000 and 10,000
    expect(rotary![0].frequencies.map((one) => 1 / one)).toEqual(
      [1, 20, 400, 8000].map((one) => expect.closeTo(one, 8)),
    );
    expect(rotary![1].frequencies.map((one) => 1 / one)).toEqual(
      [1, 10, 100, 1000].map((one) => expect.closeTo(one, 8)),
    );
    const before = temporaryFolder();
    fs.cpSync(modern, before, { recursive: true });
    editJson<Json>(before, 'config.json', (config) => {
      Object.assign(config, { global_rope_theta: 160_000, local_rope_theta: 10_000, rope_parameters: undefined });
      Object.assign(config, { layer_types: undefined, position_embedding_type: 'absolute' });
    });
    expect(readEncoderConfig(before).rotary).toEqual(rotary);
  });

  it.each<[string, object, RegExp]>([
    ['biases', { norm_bias: true }, /norm_bias is true/],
    ['scaled angles', { rope_scaling: { rope_type: 'yarn' } }, /rope_scaling is \{"rope_type":"yarn"\}.*ModernBERT/],
    [
      'other angles',
      { rope_parameters: { full_attention: { rope_type: 'linear' } } },
      /rope_parameters.full_attention.rope_type is "linear"/,
    ],
    ['another gate', { hidden_activation: 'silu' }, /hidden_activation is "silu"/],
    ['no epsilon', { norm_eps: undefined }, /norm_eps is undefined/],
    ['another kind of layer', { layer_types: ['full_attention', 'chunked'] }, /layer_types.1 is "chunked"/],
    [
      'no kinds of layers',
      { layer_types: undefined, global_attn_every_n_layers: undefined },
      /global_attn_every_n_layers is undefined/,
    ],
    ['no angles', { rope_parameters: undefined }, /global_rope_theta is undefined/],
  ])('is refused by name in a ModernBERT: %s', (_, changes, message) => {
    const folder = temporaryFolder();
    fs.cpSync(path.resolve('test/fixtures/tiny-modernbert'), folder, { recursive: true });
    editJson<Json>(folder, 'config.json', (config) => Object.assign(config, changes));
    expect(() => readEncoderConfig(folder)).toThrow(message);
  });

  it('is refused by name: a weight that is missing or of another shape', async () => {
    const key = 'encoder.layer.1.attention.self.key.weight';
    await expect(loadWithWeights((weights) => weights.delete(key))).rejects.toThrow(`no weight "${key}"`);
    await expect(
      loadWithWeights((weights) => weights.set(key, { shape: [16, 64], data: weights.get(key)!.data })),
    ).rejects.toThrow(new RegExp(`"${key}" is \\[16,64\\].*\\[32,32\\]`));
  });

  it.each([
    ['num_hidden_layers', 1e9],
    ['vocab_size', -1],
    ['hidden_size', '32'],
    ['num_attention_heads', 0],
    ['intermediate_size', 1.5],
    ['max_position_embeddings', Number.MAX_SAFE_INTEGER],
    ['type_vocab_size', null],
    ['layer_norm_eps', 0],
    ['layer_norm_eps', -1e-12],
  ])('is refused at once, by file and name: %s of %j', async (key, value) => {
    const start = performance.now();
    await expect(loadEdited('config.json', (config) => Object.assign(config, { [key]: value }))).rejects.toThrow(
      new RegExp(`config\\.json: ${key} is ${JSON.stringify(value)}, not a (whole )?number from`),
    );
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, 1e30])('is refused by name: a weight of %d', async (value) => {
    const key = 'encoder.layer.1.output.dense.bias';
    const change = (weights: Map<string, StoredTensor>) => {
      const { shape, data } = weights.get(key)!;
      weights.set(key, { shape, data: data.fill(value, 3, 4) });
    };
    await expect(loadWithWeights(change)).rejects.toThrow(
      /model\.safetensors is damaged: weight "encoder.layer.1.outp/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    [
      'a module that is not computed',
      [
        ['Transformer', ''],
        ['Pooling', '1_Pooling'],
        ['Dense', '2_Dense'],
      ],
      /json: Transformer,Pooling,Dense are not supported/,
    ],
    [
      'modules in another order',
      [
        ['Transformer', ''],
        ['Normalize', '2'],
        ['Pooling', '1_Pooling'],
      ],
      /Normalize,Pooling/,
    ],
    ['no pooling', [['Transformer', '']], /json: Transformer are not supported/],
    [
      'a module outside the folder',
      [
        ['Transformer', ''],
        ['Pooling', '../model/1_Pooling'],
      ],
      /modules lie in ":\.\.\/model/,
    ],
    [
      'a transformer elsewhere',
      [
        ['Transformer', '0_T'],
        ['Pooling', '1_Pooling'],
      ],
      /modules lie in "0_T:1_Pooling"/,
    ],
    ['a module without a type', [[undefined, '']], /json: undefined are not supported/],
  ])('is refused by name: %s', async (_, modules, message) => {
    const write = (folder: string) => {
      const list = (modules as string[][]).map(([kind, at]) => ({ type: kind && `st.models.${kind}`, path: at }));
      fs.writeFileSync(path.join(folder, 'modules.json'), JSON.stringify(list));
    };
    await expect(loadModel(copyOfTiny(write))).rejects.toThrow(message);
    await expect(loadModel(copyOfTiny(write))).rejects.toThrow(/modules\.json/);
  });

  it.each([
    ['modules.json', '3', /modules\.json: is neither an object nor a list/],
    ['modules.json', '{"map": 1}', /modules\.json: undefined are not supported/],
    [
      'sentence_bert_config.json',
      '{"max_seq_length": "long"}',
      /bert_config\.json: max_seq_length is "long", not a whole/,
    ],
    ['tokenizer_config.json', '[', /tokenizer_config\.json: is not JSON/],
    ['config_sentence_transformers.json', '"', /config_sentence_transformers\.json: is not JSON/],
    [
      'search_settings.json',
      '{"window_temperature": 0.1, "windows": 7}',
      /search_settings\.json: windows.size is undefined/,
    ],
    ['1_Pooling/config.json', 'null', /1_Pooling\/config\.json: is neither/],
    ['1_Pooling/config.json', '{"pooling_mode_max_tokens": true}', /1_Pooling\/config\.json: pooling by "max_tokens"/],
  ])('is refused by name: %s that says %s', async (name, text, message) => {
    await expect(loadModel(copyOfTiny((folder) => fs.writeFileSync(path.join(folder, name), text)))).rejects.toThrow(
      message,
    );
  });

  it('is refused by name: an index of shards that lists none, or some elsewhere', async () => {
    for (const index of ['{}', '{"weight_map": {"a": "../model.safetensors"}}', '{"weight_map": [7]}']) {
      const folder = copyOfTiny((copy) => {
        fs.rmSync(path.join(copy, 'model.safetensors'));
        fs.writeFileSync(path.join(copy, 'model.safetensors.index.json'), index);
      });
      await expect(loadModel(folder)).rejects.toThrow(
        /model\.safetensors\.index\.json: weight_map is .*not weights and/,
      );
    }
  });

  it('has the length that sentence-transformers 6 saves with the tokenizer', async () => {
    const lengthIn = async (max_seq_length: number | null, model_max_length: number) => {
      const folder = copyOfTiny((copy) => {
        fs.writeFileSync(path.join(copy, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length }));
        editJson<Json>(copy, 'tokenizer_config.json', (config) => Object.assign(config, { model_max_length }));
      });
      const model = await loadModel(folder);
      onTestFinished(() => model.dispose());
      return model.maxSeqLength;
    };
    expect(await lengthIn(null, 17)).toBe(17);
    expect(await lengthIn(30, 17)).toBe(30);
    expect(await lengthIn(null, 1e30)).toBe(64);
  });

  it('is refused by name: damaged or pickled weights, broken JSON, a wrong length', async () => {
    const damaged = copyOfTiny((folder) => fs.truncateSync(path.join(folder, 'model.safetensors'), 50_000));
    await expect(loadModel(damaged)).rejects.toThrow(/model\.safetensors is not a complete safetensors file/);
    const pickled = copyOfTiny((folder) =>
      fs.renameSync(path.join(folder, 'model.safetensors'), path.join(folder, 'pytorch_model.bin')),
    );
    await expect(loadModel(pickled)).rejects.toThrow(/safetensors/);
    const broken = copyOfTiny((folder) => fs.writeFileSync(path.join(folder, 'config.json'), '{"model_type": '));
    await expect(loadModel(broken)).rejects.toThrow(
      /config\.json: is not JSON: .*Mend it, or download or copy the model again/,
    );
    for (const maxSeqLength of [2, 65, 10.5]) {
      await expect(loadModel(TINY, { maxSeqLength })).rejects.toThrow(`MAX_SEQ_LENGTH is ${maxSeqLength}`);
    }
  });
});
