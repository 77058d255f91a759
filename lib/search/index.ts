// In: a saved model. Out: the names of the entry finetune-embedding/search, which needs no TensorFlow.
export { windowedEmbedder } from '../evaluate/windowed-embedder';
export { forChroma, forLangChain, forLlamaIndex } from './adapters';
export { loadSearchIndex, saveSearchIndex } from './index-files';
export { loadSearchModel, type SearchModel } from './onnx-model';
export { createSearchIndex, type Found, SearchIndex } from './search-index';
