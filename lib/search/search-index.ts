// In: a model and documents. Out: an index that answers questions with them, ranked as `evaluate` ranks; and its
// folder: JSON, and vectors as they lie in memory.
import fs from 'node:fs';
import path from 'node:path';
import { readJson, writeJson, writeWhole } from '../common/files';
import { contentId, hashFile, sha256 } from '../common/ids';
import { type Embedder, type Embeddings, type OnProgress, type QueryVectors, rowLengths } from '../common/matrix';
import { BM25_WINDOWS, Bm25Index } from '../evaluate/bm25-index';
import { linearFusion } from '../evaluate/fusion';
import { bestDocuments, checkNumbers } from '../evaluate/rankings';
import { nearestVector, vectorScores } from '../evaluate/vector-scores';
import { DEFAULT_SEARCH, fitWindows, windowedEmbedder } from '../evaluate/windowed-embedder';
import { wordEmbedder } from '../evaluate/word-embedder';
import type { SearchSettings } from '../model/search-settings';
import { windowPlaces } from '../model/word-spans';
import type { SearchModel } from './onnx-model';

/** A document that was found. */
export interface Found {
  id: string;
  /** Cosine (of windows, words, or both on average) and BM25, as `linearFusion` joins them. */
  score: number;
  text: string;
  /** The part of the text that fits best: `text.slice(...window)`. */
  window: [start: number, end: number];
}

/** How a model is searched with: as its folder says or, where it says nothing, as usual. */
const searchSettings = (model: SearchModel): SearchSettings =>
  model.search ?? { ...DEFAULT_SEARCH, windows: fitWindows(model) };

/** What embeds for a search: windows, or whole texts where a model was trained so; then, if asked for, words. */
function embeddersOf(model: SearchModel, words: boolean): Embedder[] {
  const { windows } = searchSettings(model);
  const first = windows ? windowedEmbedder(model, windows) : model;
  return words ? [first, wordEmbedder(model, fitWindows(model, windows?.size, windows?.stride))] : [first];
}

/** Documents to ask: with all vectors in memory, each compared with a question's; for some thousands of documents. */
export type SearchIndex = ReturnType<typeof indexOf>;

/** @param vectors of the corpus, one for each of the model's ways to search: by windows and, if there, by words */
export function indexOf(model: SearchModel, corpus: Record<string, string>, vectors: Embeddings[]) {
  const ids = Object.keys(corpus);
  const keywords = new Bm25Index(corpus, { windows: BM25_WINDOWS });
  const embedders = embeddersOf(model, vectors.length > 1);
  for (const { vectors: all, owners } of vectors)
    checkNumbers(all, (row) => `A vector of document "${ids[owners[row]]}"`);
  const measured = vectors.map((own) => ({ ...own, lengths: rowLengths(own.vectors) }));
  const { windows, windowTemperature: temperature, bm25Weight: weight } = searchSettings(model);
  return {
    model,
    corpus,
    vectors,
    /**
     * The best `topK` documents for a question, best first.
     * @throws {RangeError} if `topK` is neither a whole number from 1 nor `Infinity`
     */
    async search(question: string, topK = 5): Promise<Found[]> {
      const asked: QueryVectors[] = [];
      for (const embedder of embedders) asked.push(await embedder.embedQueries([question]));
      const rankings = measured.map((own, i) =>
        vectorScores(asked[i], own, ids.length, { temperature }).map((scores) => bestDocuments(ids, scores, Infinity)),
      );
      const [found] = linearFusion(rankings, { bm25: keywords.rank([question], Infinity), weight, topK });
      return found.map(({ id, score }) => {
        const text = corpus[id];
        const places = windows && windowPlaces(model.documentTokenizer, text, windows);
        const window = places?.[nearestVector(asked[0], vectors[0], ids.indexOf(id))] ?? [0, text.length];
        return { id, score, text, window };
      });
    },
  };
}

/**
 * Embeds documents for a search, as the model's `search_settings.json` says: by windows of its size, after its prompt.
 * Its scores and their order are those of `evaluateEmbedder` and `linearFusion`, its weight of BM25 the model's.
 *
 * @param corpus texts by id
 * @param options `words`: also keep a vector for the words, near ones merged (`wordEmbedder`), which finds more, for
 *   some 65 KB a page; `onProgress` over documents, for each way to search
 * @throws Error if a vector holds NaN or infinity
 */
export async function createSearchIndex(
  model: SearchModel,
  corpus: Record<string, string>,
  { words = false, onProgress }: { words?: boolean; onProgress?: OnProgress } = {},
): Promise<SearchIndex> {
  const vectors: Embeddings[] = [];
  for (const embedder of embeddersOf(model, words))
    vectors.push(await embedder.embedDocuments(Object.values(corpus), onProgress));
  return indexOf(model, corpus, vectors);
}

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
  return indexOf(model, corpus, embeddings);
}
