// In: an index, or the folder that it was saved in. Out: the other: JSON, and vectors as they lie in memory.
import fs from 'node:fs';
import path from 'node:path';
import { readJson, writeJson, writeWhole } from '../common/files';
import { contentId, hashFile, sha256 } from '../common/ids';
import type { SearchModel } from './onnx-model';
import { SearchIndex, searchSettings } from './search-index';

/** `index.json`. */
interface IndexFile {
  /** {@link identity} of the model whose vectors these are. */
  model: string;
  corpus: Record<string, string>;
  /** For each way to search, as in `Embeddings`; the numbers lie in a file, row by row. */
  vectors: { file: string; columns: number; owners: number[]; hubness?: number[] }[];
}

const FILE = 'index.json';
/** Named by their content: until `index.json` names the new ones, the earlier ones stay. */
const VECTORS = /^[0-9a-f]{16}\.(int8|float32)$/;
const ADVICE = 'Index the documents again: createSearchIndex, saveSearchIndex.';

/** Changes with whatever changes a document's vectors. */
const identity = (model: SearchModel): string =>
  contentId(hashFile(model.file), searchSettings(model).windows ?? null, model.prompts.document);

/** Saves an index in a folder: what {@link loadSearchIndex} finds there is all of this one or, till then, the last. */
export function saveSearchIndex(index: SearchIndex, folder: string): void {
  const vectors = index.vectors.map(({ vectors: { data, columns }, owners, hubness }) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const file = `${sha256(bytes).slice(0, 16)}.${data instanceof Int8Array ? 'int8' : 'float32'}`;
    writeWhole(path.join(folder, file), bytes, true);
    return { file, columns, owners: [...owners], hubness: hubness && [...hubness] };
  });
  const contents: IndexFile = { model: identity(index.model), corpus: index.corpus, vectors };
  writeJson(path.join(folder, FILE), contents);
  const named = vectors.map(({ file }) => file);
  for (const name of fs.readdirSync(folder))
    if (VECTORS.test(name) && !named.includes(name)) fs.rmSync(path.join(folder, name), { force: true });
}

/**
 * Loads what {@link saveSearchIndex} saved.
 * @param model the one that the documents were indexed with
 * @throws Error naming the file if it is missing or damaged, or if it is of another model, other windows or prompts
 */
export function loadSearchIndex(model: SearchModel, folder: string): SearchIndex {
  const at = path.join(folder, FILE);
  const { model: indexed, corpus, vectors } = readJson(at, ADVICE) as IndexFile;
  if (indexed !== identity(model))
    throw new Error(`${at}: is of another model than ${model.file}, other windows or prompts. ${ADVICE}`);
  const embeddings = vectors.map(({ file, columns, owners, hubness }) => {
    const place = path.join(folder, file);
    const { buffer } = new Uint8Array(fs.readFileSync(place));
    const data = file.endsWith('.int8') ? new Int8Array(buffer) : new Float32Array(buffer);
    const rows = owners.length;
    if (data.length !== rows * columns)
      throw new Error(`${place}: holds ${data.length} numbers, not ${rows} × ${columns}. ${ADVICE}`);
    const own = { vectors: { data, rows, columns }, owners: Int32Array.from(owners) };
    return { ...own, hubness: hubness && Float64Array.from(hubness) };
  });
  return new SearchIndex(model, corpus, embeddings);
}
