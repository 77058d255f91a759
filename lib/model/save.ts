// In: an EmbeddingModel. Out: a folder that sentence-transformers, LlamaIndex and transformers load.
import fs from 'node:fs';
import path from 'node:path';
import { makeFolder, writeJson, writeWhole } from '../common/files';
import { withLock } from '../common/lock';
import { checkpointWeights, WORDS } from './bert/weight-names';
import type { EmbeddingModel } from './embedding-model';
import { copySettings, WEIGHTS } from './hub/model-folder';
import { loadWeights } from './load';
import { hasOwnReadme, licenseOf, nameOf, type TrainingFacts, writeModelCard } from './model-card';
import { ModelJson } from './model-json';
import { exportOnnx } from './onnx/export';
import { ABOUT } from './prompts';
import { type StoredTensor, storedTensor, writeSafetensors } from './safetensors';
import { writeSearchSettings } from './search-settings';
import { finishSwap, nextVersion, placedMark, swapIn } from './swap';

/** The weights in the checkpoint's own names and shapes: current while the model is, each read when it is asked for. */
export function storedWeights(model: EmbeddingModel): Map<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>([[WORDS, model.words]]);
  for (const [name, tensor] of model.weights) {
    const read = () => tensor.dataSync() as Float32Array;
    stored.set(name, storedTensor(tensor.shape, read));
  }
  return checkpointWeights(stored, model.encoder.config);
}

const MODULES = 'sentence_transformers.models';

/**
 * Saves the model in the sentence-transformers layout, with what transformers.js reads beside it (onnx/).
 * All files are made in `.run/model` first, and take their places together; what was there goes to `.previous`.
 *
 * @param folder created if needed; a model in it is replaced
 * @param facts for its card; without, it has none
 * @throws Error if another process works in the folder, or if something cannot be written; the earlier model stays then
 */
export async function saveModel(model: EmbeddingModel, folder: string, facts?: TrainingFacts): Promise<void> {
  await withLock(folder, async () => {
    finishSwap(folder);
    fs.rmSync(placedMark(folder), { force: true });
    await replaceModel(model, folder, facts);
    fs.rmSync(placedMark(folder), { force: true });
    if (fs.readdirSync(path.join(folder, '.run')).length === 0) fs.rmdirSync(path.join(folder, '.run'));
  });
}

/** The same for who has locked the folder. */
export async function replaceModel(model: EmbeddingModel, folder: string, facts?: TrainingFacts): Promise<void> {
  const next = nextVersion(folder);
  fs.rmSync(next, { recursive: true, force: true });
  try {
    await writeModel(model, next);
    const license = licenseOf(model.folder);
    if (facts && !hasOwnReadme(folder)) writeModelCard(next, { license, ...facts }, nameOf(folder));
  } catch (error) {
    fs.rmSync(next, { recursive: true, force: true }); // a full disk is full no more
    throw error;
  }
  swapIn(folder);
  try {
    model.words.rows(Int32Array.of(0));
  } catch {
    await loadWeights(model, folder); // they were read from what was there before
  }
}

/**
 * Writes a model's files: weights as model.safetensors and for ONNX, tokenizer and settings as in the folder it was
 * loaded from, but for the length of texts, which is as trained.
 */
async function writeModel(model: EmbeddingModel, folder: string): Promise<void> {
  const { pooling, config } = model.encoder;
  const place = (...names: string[]) => path.join(folder, ...names);
  const untrained = [...model.untrained].map(
    ([name, tensor]) => [name.replace(/^\w+\.(?=pooler)/, ''), tensor] as const,
  );
  const weights = storedWeights(model);
  writeSafetensors(place(WEIGHTS), new Map([...weights, ...untrained]));
  for (const dtype of ['fp32', 'int8'] as const) await exportOnnx({ config, weights }, folder, dtype);
  if (model.search) writeSearchSettings(folder, model.search);
  copySettings(model.folder, folder);
  saveTokenizer(model, folder);
  const modules = [
    { idx: 0, name: '0', path: '', type: `${MODULES}.Transformer` },
    { idx: 1, name: '1', path: '1_Pooling', type: `${MODULES}.Pooling` },
  ];
  if (pooling.normalize) {
    modules.push({ idx: 2, name: '2', path: '2_Normalize', type: `${MODULES}.Normalize` });
    makeFolder(place('2_Normalize'));
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
}

/** The base's tokenizer, for texts as long as those trained on; and what it says of itself, but for the prompts. */
function saveTokenizer({ folder: base, maxSeqLength, prompts }: EmbeddingModel, folder: string): void {
  const [tokenizer, config, about] = ['tokenizer.json', 'tokenizer_config.json', ABOUT].map(
    (name) => new ModelJson(base, name, true).content,
  );
  // A base's own may cut and fill up texts to another length: who reads the file alone would do so, too.
  const truncation = { direction: 'Right', max_length: maxSeqLength, strategy: 'LongestFirst', stride: 0 };
  const whole = JSON.stringify({ ...tokenizer, truncation, padding: null });
  writeWhole(path.join(folder, 'tokenizer.json'), whole, true);
  writeJson(path.join(folder, 'tokenizer_config.json'), { ...config, model_max_length: maxSeqLength });
  const all = { ...(about.prompts as Record<string, string>), ...prompts };
  writeJson(path.join(folder, ABOUT), { ...about, prompts: all, similarity_fn_name: 'cosine' });
}
