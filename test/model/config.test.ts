import fs from 'node:fs';
import path from 'node:path';
import { loadModel } from 'finetune-embedding';
import { readEncoderConfig, readPoolingConfig } from 'finetune-embedding/dist/model/config.js';
import { readSafetensors, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyOfTiny, editJson, TINY } from '../fixtures/engine';

type Json = Record<string, unknown>;

/** Loads a copy of the tiny model with one file edited. */
const loadEdited = (name: string, edit: (content: Json) => void) =>
  loadModel(copyOfTiny((folder) => editJson<Json>(folder, name, edit)));

/** Loads a copy of the tiny model with its weights changed. */
const loadWithWeights = (change: (weights: ReturnType<typeof readSafetensors>) => void) =>
  loadModel(
    copyOfTiny((folder) => {
      const file = path.join(folder, 'model.safetensors');
      const weights = readSafetensors(file);
      change(weights);
      writeSafetensors(file, weights);
    }),
  );

describe('a model folder', () => {
  it('is read: shape, pooling, sentence length', async () => {
    expect(readEncoderConfig(TINY)).toEqual({
      vocabSize: 120,
      hiddenSize: 32,
      layers: 2,
      heads: 4,
      intermediateSize: 64,
      maxPositions: 64,
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
      (c) => Object.assign(c, { model_type: 'xlm-roberta' }),
      /model_type is "xlm-roberta".*BERT/,
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

  it('is refused by name: a weight that is missing or of another shape', async () => {
    const key = 'encoder.layer.1.attention.self.key.weight';
    await expect(loadWithWeights((weights) => weights.delete(key))).rejects.toThrow(`no weight "${key}"`);
    await expect(
      loadWithWeights((weights) => weights.set(key, { shape: [16, 64], data: weights.get(key)!.data })),
    ).rejects.toThrow(new RegExp(`"${key}" is \\[16,64\\].*\\[32,32\\]`));
  });

  it('is refused by name: unknown modules and pooling modes', async () => {
    const dense = copyOfTiny((folder) =>
      editJson<Json[]>(folder, 'modules.json', (modules) => {
        modules[2].type = 'sentence_transformers.models.Dense';
      }),
    );
    await expect(loadModel(dense)).rejects.toThrow(/modules\.json: the module Dense is not supported/);
    const max = (pooling: Json) =>
      Object.assign(pooling, { pooling_mode_mean_tokens: false, pooling_mode_max_tokens: true });
    await expect(loadEdited('1_Pooling/config.json', max)).rejects.toThrow(/pooling by "max_tokens"/);
  });

  it('is refused by name: damaged or pickled weights, broken JSON, a wrong length', async () => {
    const damaged = copyOfTiny((folder) => fs.truncateSync(path.join(folder, 'model.safetensors'), 50_000));
    await expect(loadModel(damaged)).rejects.toThrow(/model\.safetensors is not a complete safetensors file/);
    const pickled = copyOfTiny((folder) =>
      fs.renameSync(path.join(folder, 'model.safetensors'), path.join(folder, 'pytorch_model.bin')),
    );
    await expect(loadModel(pickled)).rejects.toThrow(/safetensors/);
    const broken = copyOfTiny((folder) => fs.writeFileSync(path.join(folder, 'config.json'), '{"model_type": '));
    await expect(loadModel(broken)).rejects.toThrow(/config\.json: is not JSON: .*Download or copy the model again/);
    for (const maxSeqLength of [2, 65, 10.5]) {
      await expect(loadModel(TINY, { maxSeqLength })).rejects.toThrow(`MAX_SEQ_LENGTH is ${maxSeqLength}`);
    }
  });
});
