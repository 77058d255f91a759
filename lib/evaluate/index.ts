// In: embedders and datasets. Out: how well each finds what was asked for, and how far that can be trusted.

export { BM25_WINDOWS, Bm25Index, type Bm25Options, rankByBm25 } from './bm25';
export { groupResults, type QueryChange, queryChanges } from './compare';
export { type EvaluationResult, evaluateRanking, type QueryResult } from './evaluation';
export { type EmbedderCost, type EmbedderEvaluation, evaluateEmbedder } from './evaluator';
export { chooseFusionWeight, FUSION_WEIGHT, linearFusion, reciprocalRankFusion } from './fusion';
export { METRIC_NAMES, type MetricName, type Metrics } from './metrics';
export { createOpenAIEmbedder, type OpenAIEmbedderOptions, openAISkipReason } from './openai-embedder';
export { type RankedDocument, type Rankings, rankByVectors, type Similarity } from './rankings';
export { type HitRateRow, perQueryRows, writeEvaluations, writeMetricsCsv, writePerQueryRows } from './result-files';
export { appendRun, hashFile, type LoggedRun, type RunEntry, readRuns } from './run-log';
export { type ComparedMetric, type Comparison, compareResults, hitRatesOverK, type Interval } from './significance';
export { similarityRows } from './similarity-rows';
export { tuneFusion } from './tune-fusion';
export { DEFAULT_SEARCH, windowedEmbedder } from './windowed-embedder';
