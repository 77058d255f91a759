export { AdaptedEmbedder, loadAdapter, saveAdapter } from './adapter';
export { averagedEmbedder } from './averaged-embedder';
export {
  type BatchProgress,
  type CollectedBatches,
  collectBatches,
  pollBatches,
  submitBatches,
} from './batch-api/batch';
export { combine } from './combine';
export { type FalseNegativeMargin, guided, selfGuided } from './false-negatives';
export { gradientCaching } from './grad-cache';
export { hardNegatives } from './hard-negatives';
export { interpolateWeights } from './interpolate';
export { LocalQuestionGenerator } from './local-model/local-generator';
export { type LoraSettings, lora } from './lora';
export { type MatryoshkaSettings, matryoshka } from './matryoshka';
export { type HardNegativeOptions, type MinedNegatives, mineHardNegatives } from './mine-hard-negatives';
export { symmetricLoss } from './symmetric-ranking';
export { type AdapterOptions, type AdapterResult, trainAdapter } from './train-adapter';
