export { makeBatches, type TrainingBatch, type TrainingPairs } from './batches';
export type { Variant } from './learner';
export { multipleNegativesRankingLoss } from './ranking-loss';
export { RECIPES, type Recipe } from './recipe';
export type { Loss } from './step';
export { type EvaluationReport, type StepReport, type TrainOptions, type TrainResult, train } from './train';
