// A whole model from the hub: its name in, a complete folder in the cache out.
import fs from 'node:fs';
import path from 'node:path';
import type { OnProgress } from '../../common/matrix';
import { fetchFile, type HubFile } from './fetch-file';
import { missingFiles, WEIGHTS } from './model-folder';
import { get, HubError } from './request';

/** A model's entry in the answer of `GET /api/models/<name>/revision/main?blobs=true`. */
interface Sibling {
  rfilename: string;
  size?: number;
  blobId?: string;
  lfs?: { sha256: string; size: number };
}

const SETTINGS = [
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
];
/** sentence-transformers names a module's folder by its index and class, such as `1_Pooling`. */
const MODULE_SETTINGS = /^\d+_\w+\/config\.json$/;
const SHARDS = /^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/;

const ANSWER_WITHIN_MS = 30_000;

/**
 * Downloads the files that loading needs, and no others, into `<folder>/<revision>`, which appears when all are there.
 * Two processes that download at once can damage each other's file; the checksum finds that.
 *
 * @param folder The model's folder in the cache, see `modelCacheFolder`.
 * @param onProgress Bytes of all files together.
 * @returns The folder of the revision that `main` is at.
 */
export async function downloadModel(
  name: string,
  folder: string,
  endpoint: string,
  onProgress?: OnProgress,
): Promise<string> {
  const { revision, siblings } = await describe(name, endpoint);
  const names = siblings.map(({ rfilename }) => rfilename);
  const missing = missingFiles(names);
  if (missing) throw new Error(`The model ${name} on ${endpoint} cannot be used: ${missing}.`);
  const files = siblings.filter(({ rfilename }) => isNeeded(rfilename, names)).map(toHubFile);
  const target = path.join(folder, revision);
  if (fs.existsSync(target)) return target;
  const unfinished = `${target}.partial`;
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const file of files) {
    const url = `${endpoint}/${name}/resolve/${revision}/${file.name}`;
    const destination = path.join(unfinished, file.name);
    const report = (bytes: number) => onProgress?.(done + bytes, total);
    // Under its own name a file is complete and checked, maybe by an earlier call.
    if (!fs.existsSync(destination)) await fetchFile(url, endpoint, file, destination, report);
    report(file.size);
    done += file.size;
  }
  fs.renameSync(unfinished, target);
  return target;
}

async function describe(name: string, endpoint: string): Promise<{ revision: string; siblings: Sibling[] }> {
  const url = `${endpoint}/api/models/${name}/revision/main?blobs=true`;
  const response = await get(url, endpoint, {}, AbortSignal.timeout(ANSWER_WITHIN_MS));
  const answer = (await response.json().catch(() => undefined)) as { sha?: string; siblings?: Sibling[] } | undefined;
  if (!answer || !/^[0-9a-f]{40}$/.test(answer.sha ?? '') || !Array.isArray(answer.siblings)) {
    throw new HubError(
      `${endpoint} did not answer as a Hugging Face hub does (a network that asks for a log-in first answers so, too)`,
      false,
    );
  }
  return { revision: answer.sha as string, siblings: answer.siblings };
}

function isNeeded(file: string, all: string[]): boolean {
  if (SETTINGS.includes(file) || MODULE_SETTINGS.test(file)) return true;
  return all.includes(WEIGHTS) ? file === WEIGHTS : SHARDS.test(file);
}

function toHubFile({ rfilename, size, blobId, lfs }: Sibling): HubFile {
  if (lfs) return { name: rfilename, size: lfs.size, checksum: { algorithm: 'sha256', value: lfs.sha256 } };
  if (size === undefined || !blobId) {
    throw new HubError(`the hub lists ${rfilename} without size and checksum, so that it could not be checked`, false);
  }
  return { name: rfilename, size, checksum: { algorithm: 'git-sha1', value: blobId } };
}
