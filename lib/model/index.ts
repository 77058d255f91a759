// In: the files of this stage. Out: the names that cells use, or that a reader would tweak with.
export type { Embedder, Embeddings, Matrix } from '../common/matrix';
export type { WindowSettings } from '../common/windows';
export { EmbeddingModel } from './embedding-model';
export { resolveModel } from './hub/resolve';
export { loadModel } from './load';
export { addTestResults, writeModelCard } from './model-card';
export { saveModel } from './save';
export { type SearchSettings, writeSearchSettings } from './search-settings';
export { tf } from './tf';
export { loadTokenizer } from './tokenizer';
