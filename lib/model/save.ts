// In: an EmbeddingModel. Out: a folder that sentence-transformers, LlamaIndex and transformers load.
import fs from 'node:fs';
import path from 'node:path';
import { writeJson, writeWhole } from '../common/files';
import { splitQueryKeyValue } from './bert/weight-names';
import type { EmbeddingModel } from './embedding-model';
import { removeModelCard } from './model-card';
import { ModelJson } from './model-json';
import { type StoredTensor, writeSafetensors } from './safetensors';
import { writeSearchSettings } from './search-settings';

/** The current weights in the checkpoint's own names and shapes. */
export async function storedWeights(model: EmbeddingModel): Promise<Map<string, StoredTensor>> {
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of model.weights) {
    stored.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  }
  return splitQueryKeyValue(stored);
}

const COPIED = ['config.json', 'special_tokens_map.json', 'vocab.txt'];
const ABOUT = 'config_sentence_transformers.json';
const MODULES = 'sentence_transformers.models';

/**
 * Saves the model in the sentence-transformers layout: weights as model.safetensors, tokenizer and settings as in the
 * folder it was loaded from, but for the length of texts, which is as trained. Each file appears whole. The weights are
 * written first, so that a full disk changes nothing, and take their place last.
 *
 * @param folder created if needed; a model in it is replaced
 */
export async function saveModel(model: EmbeddingModel, folder: string): Promise<void> {
  const untrained = [...model.untrained].map(([name, tensor]) => [name.replace(/^bert\./, ''), tensor] as const);
  const weights = new Map([...(await storedWeights(model)), ...untrained]);
  const place = (...names: string[]) => path.join(folder, ...names);
  const unplaced = place(`model.safetensors.${process.pid}.tmp`);
  fs.mkdirSync(folder, { recursive: true });
  try {
    writeSafetensors(unplaced, weights);
    // What is told of the model that is replaced goes first.
    removeModelCard(folder);
    writeSearchSettings(folder, model.search);
    for (const name of COPIED) {
      const source = path.join(model.folder, name);
      if (fs.existsSync(source)) writeWhole(place(name), fs.readFileSync(source));
    }
    saveTokenizer(model, folder);
    const { pooling, config } = model.encoder;
    const modules = [
      { idx: 0, name: '0', path: '', type: `${MODULES}.Transformer` },
      { idx: 1, name: '1', path: '1_Pooling', type: `${MODULES}.Pooling` },
    ];
    if (pooling.normalize) {
      modules.push({ idx: 2, name: '2', path: '2_Normalize', type: `${MODULES}.Normalize` });
      fs.mkdirSync(place('2_Normalize'), { recursive: true });
    }
    writeJson(place('modules.json'), modules);
    writeJson(place('1_Pooling', 'config.json'), {
      word_embedding_dimension: config.hiddenSize,
      pooling_mode_cls_token: pooling.mode === 'cls',
      pooling_mode_mean_tokens: pooling.mode === 'mean',
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    });
    writeJson(place('sentence_bert_config.json'), { max_seq_length: model.maxSeqLength, do_lower_case: false });
    fs.renameSync(unplaced, place('model.safetensors'));
  } finally {
    fs.rmSync(unplaced, { force: true });
  }
}

/** The base's tokenizer, for texts as long as those trained on, and what the base says of itself (its prompts). */
function saveTokenizer({ folder: base, maxSeqLength }: EmbeddingModel, folder: string): void {
  const [tokenizer, config, about] = ['tokenizer.json', 'tokenizer_config.json', ABOUT].map(
    (name) => new ModelJson(base, name, true).content,
  );
  // A base's own may cut and fill up texts to another length: who reads the file alone would do so, too.
  const truncation = { direction: 'Right', max_length: maxSeqLength, strategy: 'LongestFirst', stride: 0 };
  const whole = JSON.stringify({ ...tokenizer, truncation, padding: null });
  writeWhole(path.join(folder, 'tokenizer.json'), whole);
  writeJson(path.join(folder, 'tokenizer_config.json'), { ...config, model_max_length: maxSeqLength });
  writeJson(path.join(folder, ABOUT), { ...about, similarity_fn_name: 'cosine' });
}
