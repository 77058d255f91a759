export { BM25_WINDOWS, Bm25Index, type Bm25Options, rankByBm25 } from './bm25';
export { groupResults, type QueryChange, queryChanges } from './compare';
export { type EvaluationResult, evaluateRanking, type QueryResult } from './evaluation';
export { type EmbedderCost, type EmbedderEvaluation, evaluateEmbedder } from './evaluator';
export { chooseFusionWeight, FUSION_WEIGHT, linearFusion, reciprocalRankFusion } from './fusion';
export { type HitRateRow, perQueryRows, writePerQueryRows } from './hit-rate';
export { METRIC_NAMES, type MetricName, type Metrics } from './metrics';
export { writeMetricsCsv } from './metrics-csv';
export { createOpenAIEmbedder, type OpenAIEmbedderOptions, openAISkipReason } from './openai-embedder';
export { type RankedDocument, type Rankings, rankByVectors, type Similarity } from './rankings';
export { appendRun, hashFile, type LoggedRun, type RunEntry, readRuns } from './run-log';
export {
  bootstrapInterval,
  type ComparedMetric,
  type Comparison,
  compareResults,
  hitRatesOverK,
  type Interval,
  permutationTest,
  perQueryValues,
} from './significance';
export { similarityRows } from './similarity-rows';
export { tuneFusion } from './tune-fusion';
export { windowedEmbedder } from './windowed-embedder';
export { writeEvaluations } from './write-evaluations';
