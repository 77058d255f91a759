// In: chunks. Out: questions about them, asked by rules.
export type { QuestionKind } from './clause-questions';
export { createOfflineGenerator } from './offline-generator';
