export { type Batching, makeBatches, type TrainingBatch, type TrainingPairs } from './batches';
export { cosineSimilarities, DEFAULT_SCALE, multipleNegativesRankingLoss } from './ranking-loss';
export { RECIPES, type Recipe } from './recipe';
export { type Loss, lossAndGradients } from './step';
export { type EvaluationReport, type StepReport, type TrainOptions, type TrainResult, train } from './train';
