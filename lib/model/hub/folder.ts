// A model folder: what it must hold to be loaded, checked before any work starts.
import fs from 'node:fs';
import path from 'node:path';

export const WEIGHTS = 'model.safetensors';
export const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** Weights in formats that can run code when they are read, or that need another framework. */
const OTHER_WEIGHTS = /^(pytorch_model.*\.bin|tf_model\.h5|flax_model\.msgpack|rust_model\.ot)$/;

/**
 * Says what is missing from a model's list of files, or nothing if it can be loaded.
 *
 * @param files Names as in the folder, `/` between folder and file.
 */
export function missingFiles(files: string[]): string | undefined {
  for (const name of ['config.json', 'tokenizer.json']) {
    if (!files.includes(name)) {
      const advice = 'in Python: AutoTokenizer.from_pretrained(name).save_pretrained(folder)';
      return `it has no ${name}${name === 'tokenizer.json' ? ` (to make one, ${advice})` : ''}`;
    }
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
  const missing = missingFiles(fs.readdirSync(folder));
  if (missing || fs.existsSync(path.join(folder, WEIGHTS))) return missing;
  const shards = readShardNames(path.join(folder, WEIGHTS_INDEX));
  const absent = shards.find((name) => !fs.existsSync(path.join(folder, name)));
  return absent && `${WEIGHTS_INDEX} names ${absent}, which is not there`;
}

function readShardNames(indexFile: string): string[] {
  try {
    const { weight_map } = JSON.parse(fs.readFileSync(indexFile, 'utf8')) as { weight_map: Record<string, string> };
    return [...new Set(Object.values(weight_map))];
  } catch (error) {
    throw new Error(`${indexFile} cannot be read: ${(error as Error).message}. Download or copy the model again.`);
  }
}

/**
 * Whether a folder of another tool's cache holds the model whole: weights, tokenizer, and the settings of each
 * sentence-transformers module. Without its modules.json, a model pooled by CLS would silently be pooled by mean.
 */
export function isWholeModel(folder: string): boolean {
  if (!fs.existsSync(folder) || missingFromFolder(folder)) return false;
  const modulesFile = path.join(folder, 'modules.json');
  if (!fs.existsSync(modulesFile)) return false;
  const modules = JSON.parse(fs.readFileSync(modulesFile, 'utf8')) as { type: string; path: string }[];
  return modules
    .filter(({ type }) => type.endsWith('.Pooling'))
    .every((module) => fs.existsSync(path.join(folder, module.path, 'config.json')));
}
