// In: a model. Out: what LangChain.js, LlamaIndex.TS and Chroma call an embedding; none of them is imported here.
import { type Embedder, type Matrix, rowOf } from '../common/matrix';

// They keep one vector a text: let them cut documents to the model’s windows, `model.search.windows.size` word pieces.
const arrays = (matrix: Matrix<Float32Array | Int8Array>): number[][] =>
  Array.from({ length: matrix.rows }, (_, row) => [...rowOf(matrix, row)]);

const ofDocuments = async (model: Embedder, texts: string[]) => arrays((await model.embedDocuments(texts)).vectors);
const ofQueries = async (model: Embedder, texts: string[]) => arrays(await model.embedQueries(texts));

/** For LangChain.js: an `EmbeddingsInterface`, which its vector stores take. */
export const forLangChain = (model: Embedder) => ({
  embedDocuments: (texts: string[]) => ofDocuments(model, texts),
  embedQuery: async (text: string) => (await ofQueries(model, [text]))[0],
});

/** For Chroma: an `EmbeddingFunction` of a collection, which compares by cosine where both spaces are said. */
export const forChroma = (model: Embedder) => ({
  name: model.name,
  generate: (texts: string[]) => ofDocuments(model, texts),
  generateForQueries: (texts: string[]) => ofQueries(model, texts),
  defaultSpace: () => 'cosine' as const,
  supportedSpaces: () => ['cosine' as const],
});

/**
 * For LlamaIndex.TS: a `BaseEmbedding`, as `Settings.embedModel` takes it.
 * @param BaseEmbedding the class, from `@llamaindex/core/embeddings`: what it makes is also called, as no object can be
 */
export function forLlamaIndex<Base>(model: Embedder, BaseEmbedding: { prototype: Base }): Base {
  class LocalEmbedding extends (BaseEmbedding as unknown as new () => object) {
    getTextEmbeddings = (texts: string[]) => ofDocuments(model, texts);
    getTextEmbedding = async (text: string) => (await ofDocuments(model, [text]))[0];
    getQueryEmbedding = async ({ text }: { text: string }) => (await ofQueries(model, [text]))[0];
  }
  return new LocalEmbedding() as Base;
}
