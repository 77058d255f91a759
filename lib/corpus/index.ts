// Documents → pages → chunks.
export { type Chunk, type ChunkSettings, chunkPages } from './chunk';
export { findPageFurniture } from './furniture';
export type { Page, Skipped } from './page';
export { type ReadOptions, readDocuments, readPages } from './read';
export { splitSentences } from './sentences';
export { countTokens } from './tokens';
