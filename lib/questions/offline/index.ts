export { MIXTURE as OFFLINE_MIXTURE, type Mixture } from './candidates';
export { createOfflineGenerator } from './offline-generator';
