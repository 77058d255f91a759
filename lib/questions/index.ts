export { chooseGenerator, suitedSettings } from './choose';
export type { QuestionGenerator } from './generator';
export { createOfflineGenerator } from './offline/offline-generator';
export { EXAM_PROMPT, QUESTION_STYLES } from './prompt';
