export { chooseGenerator, suitedQuestionsPerChunk } from './choose';
export { filterQuestions } from './filters';
export type { GenerationResult, QuestionGenerator } from './generator';
export { createOfflineGenerator } from './offline/offline-generator';
export { EXAM_PROMPT } from './prompt';
