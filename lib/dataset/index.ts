// In: chunks and questions. Out: datasets, and their files.
export { assertDisjoint, buildDataset, type EmbeddingDataset } from './dataset';
export { readDataset, setDatasetAside, writeDataset } from './dataset-files';
export { buildGoldenDataset, type GoldenQuestion, readGoldenQuestionsBeside } from './golden';
