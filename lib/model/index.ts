// In: the files of this stage. Out: the names that cells use, or that a reader would tweak with.
export type { Embedder, Embeddings, Matrix, OnProgress } from '../common/matrix';
export { type WindowSettings, windowRanges } from '../common/windows';
export type { DropoutSettings } from './bert/encoder';
export { EmbeddingModel } from './embedding-model';
export { resolveModel } from './hub/resolve';
export { loadModel } from './load';
export { addTestResults, type TrainingFacts, writeModelCard } from './model-card';
export { exportOnnx } from './onnx/export';
export { readSafetensors, type StoredTensor, writeSafetensors } from './safetensors';
export { saveModel, storedWeights } from './save';
export { readSearchSettings, type SearchSettings, writeSearchSettings } from './search-settings';
export { tf } from './tf';
export { loadTokenizer } from './tokenizer';
