export { createOfflineGenerator } from './generator';
