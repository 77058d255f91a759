export { makeBatches, type TrainingBatch } from './batches';
export type { Variant } from './learner';
export { multipleNegativesRankingLoss } from './ranking-loss';
export { RECIPES, type Recipe } from './recipe';
export type { Loss } from './step';
export { type TrainOptions, type TrainResult, train } from './train';
