// In: a saved model. Out: the names of the entry finetune-embedding/search, which needs no TensorFlow.

export { embedCorpus } from './embed-corpus';
export { type FoundDocument, LanceIndex } from './lance-index';
export { loadSearchModel, type SearchModel } from './onnx-model';
