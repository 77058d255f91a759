// In: a model folder. Out: how the model in it is meant to be searched with; and such settings back into a folder.
import fs from 'node:fs';
import path from 'node:path';
import { writeJson } from '../common/files';
import type { WindowSettings } from '../common/windows';
import { ModelJson } from './model-json';

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
const FILE = 'search_settings.json';
const fileOf = (folder: string) => path.join(folder, FILE);

/**
 * The settings that a model was saved with, if it was trained here.
 *
 * @param longest tokens that the model reads at most
 * @throws Error naming the file and the setting if one is no number, or if windows would leave words out
 */
export function readSearchSettings(folder: string, longest = 1_000_000): SearchSettings | undefined {
  if (!fs.existsSync(fileOf(folder))) return undefined;
  const json = new ModelJson(folder, FILE);
  const search: SearchSettings = { windowTemperature: json.number('window_temperature', 0, 1000, false) };
  if (json.at('windows') !== undefined) {
    const size = json.number('windows.size', 1, longest);
    search.windows = { size, stride: json.number('windows.stride', 1, size) };
  }
  if (json.at('bm25_weight') !== undefined) search.bm25Weight = json.number('bm25_weight', 0, 1000, false);
  return search;
}

/** Puts settings beside a model. */
export function writeSearchSettings(folder: string, { windows, windowTemperature, bm25Weight }: SearchSettings): void {
  writeJson(fileOf(folder), { windows, window_temperature: windowTemperature, bm25_weight: bm25Weight });
}
