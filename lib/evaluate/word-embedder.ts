// In: an embedding model. Out: an embedder with a vector a word piece, near ones of a document merged.
import { type Embedder, type Embeddings, int8Rows, type Matrix, rowOf, stacked } from '../common/matrix';
import { rowProducts } from '../common/products';
import type { EmbeddingModel } from '../model/embedding-model';
import { type Tokenizer, windowSequences } from '../model/tokenizer';
import { checkNumbers } from './rankings';
import { vectorScores } from './vector-scores';
import { wardClusters } from './ward-clusters';

/** What it needs of a model: trained here, or loaded for a search. */
type WordModel = Pick<EmbeddingModel, 'name' | 'queryTokenizer' | 'documentTokenizer' | 'maxSeqLength' | 'embedWords'>;

/** Beside windows, a third of the vectors finds nearly as much; a sixth does not: docs/recipe.md. */
const POOL_FACTOR = 3;

/** Words of the corpus that show which documents are near to any. */
const SAMPLED_WORDS = 2048;

/** Documents whose vectors are held as 32-bit floats at a time. */
const DOCUMENTS_AT_A_TIME = 8;

/**
 * Embeds each word piece, in the light of those around it: the last layer's vector. Special tokens and prompt are left
 * out. A document is read in windows that do not overlap. `rankByVectors` scores such vectors by late interaction, less
 * hubness.
 *
 * Use it where finding the right chunk is worth some 65 KB a chunk of a page, best beside windows. Words of a document
 * that are near to each other are merged, and numbers kept in 8 bits, for an index of a twelfth of the size.
 *
 * @param size word pieces a window; with special tokens and prompt they must fit the model's length
 * @param poolFactor as many word pieces of a document share a vector, on average; 1: each has its own
 * @throws {RangeError} if windows don't fit; an Error, from the embedder, if a vector holds NaN or infinity
 */
export function wordEmbedder(model: WordModel, { size }: { size: number }, poolFactor = POOL_FACTOR): Embedder {
  const { queryTokenizer, documentTokenizer } = model;
  for (const tokenizer of [queryTokenizer, documentTokenizer])
    windowSequences(tokenizer, '', { size, stride: size }, model.maxSeqLength); // refuses them before any work

  return {
    name: `${model.name}, words`,
    async embedQueries(texts) {
      const words = await wordVectors(model, queryTokenizer, texts, size);
      return { ...stacked(words, Float32Array), owners: ownersOf(words) };
    },
    async embedDocuments(texts, onProgress): Promise<Embeddings> {
      const parts: Matrix<Int8Array>[] = [];
      while (parts.length < texts.length) {
        const some = texts.slice(parts.length, parts.length + DOCUMENTS_AT_A_TIME);
        const words = await wordVectors(model, documentTokenizer, some, size);
        parts.push(...words.map((own) => int8Rows(pooledWords(own, poolFactor))));
        onProgress?.(parts.length, texts.length);
      }
      const found = { vectors: stacked(parts, Int8Array), owners: ownersOf(parts) };
      return { ...found, hubness: hubnessOf(found, texts.length) };
    },
  };
}

/** A matrix a text, read in windows of `size` by one of the model's tokenizers: `[word pieces, hidden]`. */
export async function wordVectors(model: WordModel, tokenizer: Tokenizer, texts: string[], size: number) {
  const windows = { size, stride: size };
  const sequences = texts.map((text) => windowSequences(tokenizer, text, windows, model.maxSeqLength));
  const vectors = (await model.embedWords(sequences.flat(), tokenizer)).values();
  return sequences.map((own) => {
    const ofWindows = own.map(() => vectors.next().value!);
    const words = stacked(ofWindows, Float32Array);
    checkNumbers(words, (row) => `Word piece ${row + 1} of a text`);
    return words;
  });
}

/**
 * Some documents are near to whatever is asked, and come up for many questions (hubs: Radovanović, Nanopoulos &
 * Ivanović 2010). By what words of the others find more there than in a document on average, half of that is taken off,
 * as in CSLS (Conneau et al. 2018, "Word Translation Without Parallel Data", equation 5; of all words, where CSLS takes
 * the nearest). None gains: a page with hardly a word is near to nothing, which makes it no better an answer.
 *
 * @returns `[documents]`
 */
export function hubnessOf({ vectors, owners }: Embeddings, documents: number): Float64Array {
  const { columns } = vectors;
  const rows = Math.min(vectors.rows, SAMPLED_WORDS);
  const sampled = Array.from({ length: rows }, (_, i) => Math.floor(((i + 0.5) * vectors.rows) / rows));
  const data = new Float32Array(rows * columns);
  for (const [i, row] of sampled.entries()) data.set(rowOf(vectors, row), i * columns);
  const asked = { data, rows, columns, owners: new Int32Array(rows) };
  const [means = new Float64Array()] = vectorScores(asked, { vectors, owners }, documents);
  const own = new Float64Array(documents); // of the sampled words; each finds itself, with a score of 1
  for (const row of sampled) own[owners[row]]++;
  const ofOthers = means.map((mean, i) => (own[i] < rows ? (mean * rows - own[i]) / (rows - own[i]) : 0));
  const average = ofOthers.reduce((sum, mean) => sum + mean, 0) / documents;
  return ofOthers.map((mean) => Math.max(0, mean - average) / 2);
}

/**
 * Token pooling (Clavié, Chaffin & Adams 2024, "Reducing the Footprint of Multi-Vector Retrieval with Minimal
 * Performance Impact via Token Pooling", section 3): near vectors become their sum, whose direction is their mean's. As
 * in sentence-transformers' HierarchicalTokenPooling, clusters are Ward's on cosine distances.
 *
 * @param words `[word pieces, hidden]`, of length 1
 * @param factor word pieces a vector, on average
 */
export function pooledWords(words: Matrix, factor: number): Matrix {
  const { rows, columns } = words;
  const clusters = Math.max(1, Math.floor(rows / factor));
  if (clusters >= rows) return words;
  const distances = rowProducts(words, words).map((cosine) => 1 - cosine);
  const pooled = { data: new Float32Array(clusters * columns), rows: clusters, columns };
  wardClusters(distances, rows, clusters).forEach((cluster, row) => {
    const sum = rowOf(pooled, cluster);
    rowOf(words, row).forEach((value, i) => {
      sum[i] += value;
    });
  });
  return pooled;
}

const ownersOf = (texts: { rows: number }[]): Int32Array =>
  Int32Array.from(texts.flatMap(({ rows }, owner) => Array(rows).fill(owner)));
