// In: a model folder. Out: how the model in it is meant to be searched with; and such settings back into a folder.
import fs from 'node:fs';
import path from 'node:path';
import { writeJson } from '../common/files';
import type { WindowSettings } from '../common/windows';
import { readModelJson } from './config';

/** How a model was trained to be searched with. */
export interface SearchSettings {
  /** A chunk's windows in an index; without, a chunk has one vector. */
  windows?: WindowSettings;
  /** How far a chunk's further windows count beside its nearest: `windowTemperature` of `rankByVectors`. */
  windowTemperature: number;
  /** What a point of BM25 is worth beside the cosine, chosen on validation questions; absent where none were asked. */
  bm25Weight?: number;
}

/** Beside the weights; sentence-transformers, LlamaIndex and transformers.js pass it over. */
const fileOf = (folder: string) => path.join(folder, 'search_settings.json');

/**
 * The settings that a model was saved with, if it was trained here.
 *
 * @throws Error naming the file and the setting if one is no number, or if windows would leave words out
 */
export function readSearchSettings(folder: string): SearchSettings | undefined {
  const file = fileOf(folder);
  if (!fs.existsSync(file)) return undefined;
  const raw = readModelJson(file);
  const number = (name: string, value: unknown, least: number): number => {
    if (typeof value === 'number' && value >= least) return value;
    throw new Error(
      `${file}: ${name} is ${JSON.stringify(value)}, not a number from ${least}. Mend it, or train again.`,
    );
  };
  const search: SearchSettings = { windowTemperature: number('window_temperature', raw.window_temperature, 0) };
  if (raw.windows) {
    const { size, stride } = raw.windows as Partial<WindowSettings>;
    search.windows = { size: number('windows.size', size, 1), stride: number('windows.stride', stride, 1) };
    if (search.windows.stride > search.windows.size)
      throw new Error(`${file}: windows of ${size} tokens, ${stride} apart, leave words out. Mend it, or train again.`);
  }
  if (raw.bm25_weight !== undefined) search.bm25Weight = number('bm25_weight', raw.bm25_weight, 0);
  return search;
}

/** Puts settings beside a model; without any, takes an earlier model's away. */
export function writeSearchSettings(folder: string, search: SearchSettings | undefined): void {
  if (!search) {
    fs.rmSync(fileOf(folder), { force: true });
    return;
  }
  const { windows, windowTemperature, bm25Weight } = search;
  writeJson(fileOf(folder), { windows, window_temperature: windowTemperature, bm25_weight: bm25Weight });
}
