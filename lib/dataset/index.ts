export { buildDataset } from './build';
export * from './dataset';
export * from './files';
export * from './golden';
export * from './round-trip';
