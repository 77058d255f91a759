// In: a model's name on the hub. Out: its snapshot in a cache laid out as Python's, where Python finds it, too.
// Layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
import fs from 'node:fs';
import path from 'node:path';
import { listFiles, modelInfo } from '@huggingface/hub';
import { makeFolder, writeWhole } from '../../common/files';
import type { OnProgress } from '../../common/matrix';
import { fetchFile, type HubFile } from './fetch-file';
import { cachedModel } from './locations';
import { missingFiles, SETTINGS, WEIGHTS } from './model-folder';
import { HubError, hubFetch, isLate, reason } from './request';

/** sentence-transformers names a module's folder by its index and class, such as `1_Pooling`. */
const MODULE_SETTINGS = /^\d+_\w+\/config\.json$/;
const SHARDS = /^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/;

/**
 * Downloads the files that loading needs, and no others. `refs/main` is written last, when all are there.
 * Two processes that download at once can damage each other's file; the checksum finds that.
 *
 * @param onProgress called with bytes of all files together
 * @returns the folder of the revision that `main` is at
 * @throws HubError if the hub refuses or cannot be reached
 * @throws Error if the model is of no use here, or a file arrives damaged
 */
export async function downloadModel(name: string, cacheDir: string, endpoint: string, onProgress?: OnProgress) {
  const request = hubFetch(endpoint);
  const { revision, files } = await describe(name, endpoint, request);
  const names = files.map((file) => file.name);
  const missing = missingFiles(names);
  if (missing) throw new Error(`The model ${name} on ${endpoint} cannot be used: ${missing}.`);
  const needed = files.filter(({ name }) => isNeeded(name, names));
  const total = needed.reduce((sum, { size }) => sum + size, 0);
  const { blobs, main, snapshot, knownAbsent } = cachedModel(cacheDir, name, revision);
  let done = 0;
  for (const file of needed) {
    const blob = path.join(blobs, file.checksum);
    const target = path.join(snapshot, file.name);
    const report = (bytes: number) => onProgress?.(done + bytes, total);
    // A blob is complete and checked, maybe by an earlier call.
    if (!fs.existsSync(blob)) {
      await fetchFile(`${endpoint}/${name}/resolve/${revision}/${file.name}`, file, blob, request, report);
    }
    if (!fs.existsSync(target)) {
      makeFolder(path.dirname(target));
      fs.rmSync(target, { force: true }); // a link whose target is gone
      fs.symlinkSync(path.relative(path.dirname(target), blob), target);
    }
    report(file.size);
    done += file.size;
  }
  if (!names.includes('modules.json')) writeWhole(knownAbsent('modules.json'), '');
  writeWhole(main, revision);
  return snapshot;
}

async function describe(name: string, hubUrl: string, fetch: typeof globalThis.fetch) {
  const files: HubFile[] = [];
  try {
    const { sha: revision } = await modelInfo({ name, revision: 'main', additionalFields: ['sha'], hubUrl, fetch });
    if (!/^[0-9a-f]{40}$/.test(revision)) throw new Error('no revision');
    for await (const entry of listFiles({ repo: { type: 'model', name }, revision, recursive: true, hubUrl, fetch })) {
      if (entry.type !== 'file') continue;
      const checksum = entry.lfs?.oid ?? entry.oid ?? '';
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum)) throw new Error('no checksum');
      files.push({ name: entry.path, size: entry.size, checksum });
    }
    return { revision, files };
  } catch (error) {
    if (error instanceof HubError) throw error;
    const logIn = 'a network that asks for a log-in first answers so, too';
    throw new HubError(
      `${hubUrl} did not answer as a Hugging Face hub does (${isLate(error) ? reason(error) : logIn})`,
      false,
    );
  }
}

function isNeeded(file: string, all: string[]): boolean {
  if (SETTINGS.includes(file) || MODULE_SETTINGS.test(file)) return true;
  return all.includes(WEIGHTS) ? file === WEIGHTS : SHARDS.test(file);
}
