// In: a saved model. Out: the names of the entry finetune-embedding/search, which needs no TensorFlow.
export { windowedEmbedder } from '../evaluate/windowed-embedder';
export { forChroma, forLangChain, forLlamaIndex } from './adapters';
export { embedCorpus } from './embed-corpus';
export { type FoundDocument, LanceIndex } from './lance-index';
export { loadSearchModel, type SearchModel } from './onnx-model';
export { createSearchIndex, type Found, loadSearchIndex, type SearchIndex, saveSearchIndex } from './search-index';
