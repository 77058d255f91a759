// In: documents. Out: their pages, and the chunks that these are cut into.
export { type Chunk, chunkPages } from './chunk';
export { readDocuments } from './read';
