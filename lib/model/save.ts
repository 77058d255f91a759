// In: an EmbeddingModel. Out: a folder that sentence-transformers, LlamaIndex and transformers load.
import fs from 'node:fs';
import path from 'node:path';
import { splitQueryKeyValue } from './bert/weight-names';
import type { EmbeddingModel } from './embedding-model';
import { removeModelCard } from './model-card';
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

const NORMALIZE = { type: 'sentence_transformers.models.Normalize' };

/**
 * Saves the model in the sentence-transformers layout: weights as model.safetensors, tokenizer and settings copied from
 * the folder it was loaded from, `max_seq_length` as trained. Everything is written to a temporary folder beside the
 * target, then moved into place file by file, weights last.
 *
 * @param folder created if needed; a model in it is replaced
 */
export async function saveModel(model: EmbeddingModel, folder: string): Promise<void> {
  const temporary = `${path.resolve(folder)}.${process.pid}.tmp`;
  fs.rmSync(temporary, { recursive: true, force: true });
  fs.mkdirSync(path.join(temporary, '1_Pooling'), { recursive: true });
  try {
    const write = (name: string, content: unknown) =>
      fs.writeFileSync(path.join(temporary, name), `${JSON.stringify(content, null, 2)}\n`);
    for (const name of [
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'vocab.txt',
    ]) {
      const source = path.join(model.folder, name);
      if (fs.existsSync(source)) fs.copyFileSync(source, path.join(temporary, name));
    }
    const { pooling, config } = model.encoder;
    const modules = [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    ];
    if (pooling.normalize) {
      modules.push({ idx: 2, name: '2', path: '2_Normalize', ...NORMALIZE });
      fs.mkdirSync(path.join(temporary, '2_Normalize'));
    }
    write('modules.json', modules);
    write('1_Pooling/config.json', {
      word_embedding_dimension: config.hiddenSize,
      pooling_mode_cls_token: pooling.mode === 'cls',
      pooling_mode_mean_tokens: pooling.mode === 'mean',
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    });
    write('sentence_bert_config.json', { max_seq_length: model.maxSeqLength, do_lower_case: false });
    write('config_sentence_transformers.json', { similarity_fn_name: 'cosine' });
    const untrained = [...model.untrained].map(([name, tensor]) => [name.replace(/^bert\./, ''), tensor] as const);
    const weights = new Map([...(await storedWeights(model)), ...untrained]);
    writeSafetensors(path.join(temporary, 'model.safetensors'), weights);
    writeSearchSettings(temporary, model.search);
    // What is told of the model that is replaced goes first.
    removeModelCard(folder);
    if (!model.search) writeSearchSettings(folder, undefined);
    moveInto(temporary, folder);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** Moves a folder's files into another, settings first and weights last, each by one rename. */
function moveInto(source: string, target: string): void {
  fs.mkdirSync(target, { recursive: true });
  const files = fs.readdirSync(source, { recursive: true, withFileTypes: true });
  for (const entry of files.filter((e) => e.isDirectory())) {
    fs.mkdirSync(path.join(target, path.relative(source, path.join(entry.parentPath, entry.name))), {
      recursive: true,
    });
  }
  const names = files.filter((e) => e.isFile()).map((e) => path.relative(source, path.join(e.parentPath, e.name)));
  names.sort((a, b) => Number(a === 'model.safetensors') - Number(b === 'model.safetensors'));
  for (const name of names) fs.renameSync(path.join(source, name), path.join(target, name));
}
