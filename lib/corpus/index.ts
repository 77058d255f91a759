// In: documents. Out: their pages, and the chunks that these are cut into.

export { findPageFurniture } from '../common/text/page-furniture';
export { splitSentences } from '../common/text/sentences';
export { type Chunk, type ChunkSettings, chunkPages } from './chunk';
export type { Page, Skipped } from './page';
export { type ReadOptions, readDocuments, readPages } from './read';
export { countTokens } from './tokens';
