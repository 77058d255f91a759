// In: a model's name or path. Out: a folder on this machine; the hub is asked only if the model is nowhere here.
import fs from 'node:fs';
import path from 'node:path';
import { getHFHubCachePath } from '@huggingface/hub';
import type { OnProgress } from '../../common/matrix';
import { downloadModel } from './download';
import { findInCache, findInPythonPackages, findProjectFolder, fullName } from './locations';
import { missingFromFolder } from './model-folder';
import { HubError } from './request';

/** A model name as on the hub: `organisation/name`, or `name`. */
const MODEL_NAME = /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/;

/** For what looks like OUTPUT_DIR. */
const TRAIN_FIRST = '\nIf it is a model that you train, run the finetune notebook first.';

/**
 * Finds a Hugging Face / sentence-transformers model: a folder as it is; by name in our cache (`.cache/models` in the
 * project's folder, laid out as Python's), in the Python package that carries all-MiniLM-L6-v2, in Python's Hugging
 * Face cache, and else downloads it into ours, from HF_ENDPOINT or https://huggingface.co (interrupted downloads go on
 * where they stopped; sizes and checksums are checked; HF_TOKEN is used if set).
 *
 * @param nameOrPath Such as `exp_finetune`, `all-MiniLM-L6-v2` or `BAAI/bge-small-en`.
 * @param options `onProgress` is called with the bytes of all files that are here and to come, during a download.
 * @returns The absolute path of a folder with config.json, tokenizer.json and safetensors weights.
 * @throws Error if the folder lacks one of these, if only pickled weights exist, or if the model is neither here nor to
 *   be had from the hub; it says why, and how to get the model onto a machine without network.
 */
export async function resolveModel(nameOrPath: string, options: { onProgress?: OnProgress } = {}): Promise<string> {
  const folder = path.resolve(nameOrPath);
  if (nameOrPath && fs.existsSync(folder)) return usableFolder(folder);
  if (!MODEL_NAME.test(nameOrPath) || nameOrPath.includes('..')) {
    throw new Error(
      `"${nameOrPath}" is neither a model folder (looked for ${folder}) ` +
        `nor a model's name, such as BAAI/bge-small-en.${TRAIN_FIRST}`,
    );
  }
  const name = fullName(nameOrPath);
  const cacheDir = path.join(findProjectFolder(), '.cache', 'models');
  const found = findInCache(cacheDir, name) ?? findInPythonPackages(name) ?? findInCache(getHFHubCachePath(), name);
  if (found) return usableFolder(found);
  const endpoint = hubAddress();
  try {
    return await downloadModel(name, cacheDir, endpoint, options.onProgress);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new Error(
      `Cannot get the model ${name}: there is no folder ${folder}, it is not in the cache ${cacheDir}, and ` +
        `${error.message}.${name.includes('/') ? '' : TRAIN_FIRST}\nWithout network: on a machine that has it, run ` +
        `"hf download ${name} --local-dir ${path.posix.basename(name)}", copy that folder here, ` +
        'and set BASE_MODEL to its path.',
    );
  }
}

function usableFolder(folder: string): string {
  if (!fs.statSync(folder).isDirectory()) throw new Error(`${folder} is a file; a model is a folder.`);
  const missing = missingFromFolder(folder);
  if (missing) throw new Error(`The model folder ${folder} cannot be used: ${missing}.`);
  return folder;
}

/** Where the Hub is. Throws an Error if HF_ENDPOINT is no address. */
export function hubAddress(): string {
  const endpoint = process.env.HF_ENDPOINT || 'https://huggingface.co';
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new Error(
      'HF_ENDPOINT is not the address of a hub: it takes the form https://host, without user name or password.',
    );
  }
  return endpoint.replace(/\/+$/, '');
}
