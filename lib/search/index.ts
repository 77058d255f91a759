// In: a saved model. Out: the names of the entry finetune-embedding/search, which needs no TensorFlow.
export { loadSearchModel, type SearchModel } from './onnx-model';
