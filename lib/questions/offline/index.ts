// In: chunks. Out: questions about them, asked by rules.
export { createOfflineGenerator } from './offline-generator';
