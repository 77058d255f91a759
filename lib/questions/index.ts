export { type ChosenGenerator, chooseGenerator, suitedQuestionsPerChunk } from './choose';
export { type CostEstimate, estimateCost } from './cost';
export {
  type AskedQuestion,
  type DroppedQuestion,
  filterQuestions,
  namesTheContext,
  type QuestionFilter,
  repeatsAnother,
} from './filters';
export {
  chunksWithoutQuestions,
  type GenerationOptions,
  type GenerationProgress,
  type GenerationResult,
  type GenerationSummary,
  type QuestionGenerator,
  type SourceChunk,
} from './generator';
export { LlmQuestionGenerator } from './llm-generator';
export type { LlmSettings, TokenPrice } from './llm-settings';
export { createOfflineGenerator } from './offline';
export { EXAM_PROMPT, fillPrompt } from './prompt';
