export { buildDataset } from './build';
export * from './dataset';
export * from './dataset-files';
export * from './golden';
export * from './round-trip';
