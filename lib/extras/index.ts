export { AdaptedEmbedder, loadAdapter, saveAdapter } from './adapter';
export { averagedEmbedder } from './averaged-embedder';
export {
  type BatchProgress,
  type CollectedBatches,
  collectBatches,
  pollBatches,
  submitBatches,
} from './batch-api/batch';
export { createFalseNegativeFilter, type FalseNegativeMargin, selfGuidedLoss } from './false-negatives';
export { cachedLossAndGradients, type GradCacheOptions } from './grad-cache';
export { addHardNegatives } from './hard-negatives';
export { interpolateWeights } from './interpolate';
export { LocalQuestionGenerator } from './local-model/local-generator';
export { Lora, type LoraSettings } from './lora';
export { type MatryoshkaSettings, matryoshkaLoss } from './matryoshka';
export { type HardNegativeOptions, type MinedNegatives, mineHardNegatives } from './mine-hard-negatives';
export type { Parameterization } from './parameterization';
export { symmetricRankingLoss } from './symmetric-ranking';
export { type AdapterOptions, type AdapterResult, trainAdapter } from './train-adapter';
