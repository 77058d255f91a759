// In: an embedding model. Out: an embedder with a vector a word piece, near ones of a document merged.
import { type Embedder, type Embeddings, int8Rows, type Matrix, rowOf, stacked } from '../common/matrix';
import { rowProducts } from '../common/products';
import type { EmbeddingModel } from '../model/embedding-model';
import { windowSequences } from '../model/tokenizer';
import { checkNumbers } from './rankings';
import { vectorScores } from './vector-scores';
import { wardClusters } from './ward-clusters';

/** Beside windows, a third of the vectors finds nearly as much; a sixth does not: docs/recipe.md. */
const POOL_FACTOR = 3;

/** Words of the corpus that show which documents are near to any. */
const SAMPLED_WORDS = 2048;

/** Documents whose vectors are held as 32-bit floats at a time. */
const DOCUMENTS_AT_A_TIME = 32;

/**
 * Embeds each word piece, in the light of those around it: the last layer's vector, special tokens left out. A document
 * is read in windows that do not overlap. `rankByVectors` scores such vectors by late interaction, less hubness.
 *
 * Use it where finding the right chunk is worth some 65 KB a chunk of a page, best beside windows. Words of a document
 * that are near to each other are merged, and numbers kept in 8 bits, for an index of a twelfth of the size.
 *
 * @param size word pieces a window; with special tokens they must fit the model's length
 * @param poolFactor as many word pieces of a document share a vector, on average; 1: each has its own
 * @throws {RangeError} if windows don't fit; an Error, from the embedder, if a vector holds NaN or infinity
 */
export function wordEmbedder(model: EmbeddingModel, { size }: { size: number }, poolFactor = POOL_FACTOR): Embedder {
  const sequencesOf = (text: string) =>
    windowSequences(model.tokenizer, text, { size, stride: size }, model.maxSeqLength);
  sequencesOf(''); // refuses windows that don't fit before any work

  /** A matrix a text: [word pieces, hidden] */
  async function embed(texts: string[]): Promise<Matrix[]> {
    const sequences = texts.map(sequencesOf);
    const vectors = (await model.embedWords(sequences.flat())).values();
    return sequences.map((own) => {
      const windows = own.map(() => vectors.next().value!);
      const words = stacked(windows, Float32Array);
      checkNumbers(words, (row) => `Word piece ${row + 1} of a text`);
      return words;
    });
  }

  return {
    name: `${model.name}, words`,
    async embedQueries(texts) {
      const words = await embed(texts);
      return { ...stacked(words, Float32Array), owners: ownersOf(words) };
    },
    async embedDocuments(texts, onProgress): Promise<Embeddings> {
      const parts: Matrix<Int8Array>[] = [];
      while (parts.length < texts.length) {
        const words = await embed(texts.slice(parts.length, parts.length + DOCUMENTS_AT_A_TIME));
        parts.push(...words.map((own) => int8Rows(pooledWords(own, poolFactor))));
        onProgress?.(parts.length, texts.length);
      }
      const found = { vectors: stacked(parts, Int8Array), owners: ownersOf(parts) };
      return { ...found, hubness: hubnessOf(found, texts.length) };
    },
  };
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
  sampled.forEach((row, i) => {
    data.set(vectors.data.subarray(row * columns, (row + 1) * columns), i * columns);
  });
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
