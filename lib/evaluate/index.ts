// In: embedders and datasets. Out: how well each finds what was asked for, and how far that can be trusted.
export { hashFile } from '../common/ids';
export { BM25_WINDOWS, Bm25Index, rankByBm25 } from './bm25-index';
export { type EvaluationResult, evaluateRanking, type QueryResult, queryChanges } from './evaluation';
export { type EmbedderEvaluation, evaluateEmbedder } from './evaluator';
export { linearFusion, reciprocalRankFusion, tuneFusion } from './fusion';
export { createOpenAIEmbedder, openAISkipReason } from './openai-embedder';
export { createQuestionGate, type GatedQuestions } from './question-gate';
export { type Rankings, rankByVectors, similarityRows } from './rankings';
export { appendRun, readRuns, writeEvaluations } from './result-files';
export { compareResults, hitRatesOverK } from './significance';
export { DEFAULT_SEARCH, fitWindows, windowedEmbedder } from './windowed-embedder';
export { wordEmbedder } from './word-embedder';
