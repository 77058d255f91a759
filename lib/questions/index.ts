export * from './choose';
export { type CostEstimate, estimateCost } from './cost';
export * from './filters';
export * from './generator';
export { LlmQuestionGenerator } from './llm-generator';
export type { LlmSettings, TokenPrice } from './llm-settings';
export { createOfflineGenerator } from './offline';
export { EXAM_PROMPT, fillPrompt } from './prompt';
