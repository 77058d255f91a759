// In: a model folder, or its files' names. Out: what it lacks to be loaded, before any work starts; its weight files.
import fs from 'node:fs';
import path from 'node:path';
import { writeWhole } from '../../common/files';
import { ModelJson } from '../model-json';

/** The one file of weights of a model that is not in shards. */
export const WEIGHTS = 'model.safetensors';
/** A model's other files, beside those of its modules' folders. */
export const SETTINGS = [
  ...['config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt'],
  ...['modules.json', 'sentence_bert_config.json', 'config_sentence_transformers.json'],
];
const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** Copies all of a model but its weights and its modules' folders. */
export function copySettings(from: string, to: string): void {
  for (const name of SETTINGS) {
    const source = path.join(from, name);
    if (fs.existsSync(source)) writeWhole(path.join(to, name), fs.readFileSync(source), true);
  }
}

/** Weights in formats that can run code when they are read, or that need another framework. */
const OTHER_WEIGHTS = /^(pytorch_model.*\.bin|tf_model\.h5|flax_model\.msgpack|rust_model\.ot)$/;

/**
 * Says what is missing from a model's list of files, or nothing if it can be loaded.
 *
 * @param files Names as in the folder, `/` between folder and file.
 */
export function missingFiles(files: string[]): string | undefined {
  if (!files.includes('config.json')) return 'it has no config.json';
  if (!files.includes('tokenizer.json')) {
    const advice = 'in Python: AutoTokenizer.from_pretrained(name).save_pretrained(folder)';
    return `it has no tokenizer.json (to make one, ${advice})`;
  }
  if (files.includes(WEIGHTS) || files.includes(WEIGHTS_INDEX)) return undefined;
  const other = files.find((name) => OTHER_WEIGHTS.test(name));
  if (!other) return `it has no ${WEIGHTS}`;
  return (
    `its weights are only there as ${other}; only safetensors are read, never a pickle, which can run code. ` +
    `Take a revision or copy of the model with ${WEIGHTS}, or convert it where you trust it, in Python: ` +
    'SentenceTransformer(folder).save(new_folder)'
  );
}

/** Says what is missing from a folder on disk, or nothing; with sharded weights, every shard is looked for. */
export function missingFromFolder(folder: string): string | undefined {
  // A link whose target is gone is listed, too.
  const files = fs.readdirSync(folder).filter((name) => fs.existsSync(path.join(folder, name)));
  const missing = missingFiles(files);
  if (missing) return missing;
  const absent = weightFiles(folder).find((name) => !files.includes(name));
  return absent && `${WEIGHTS_INDEX} names ${absent}, which is not there`;
}

/**
 * The names of the files that hold a folder's weights. As in transformers, one file counts before an index of shards:
 * saving over a model in shards leaves both.
 */
export function weightFiles(folder: string): string[] {
  if (fs.existsSync(path.join(folder, WEIGHTS))) return [WEIGHTS];
  const json = new ModelJson(folder, WEIGHTS_INDEX);
  const isMap = (value: unknown) =>
    value instanceof Object && Object.values(value).every((name) => /^[\w.-]+\.safetensors$/.test(String(name)));
  return [...new Set(Object.values(json.expect('weight_map', isMap, 'weights and the files they are in') as object))];
}
