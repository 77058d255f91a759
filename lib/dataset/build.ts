// Chunks and their questions go in; a dataset comes out, with the same ids in every run.

import { createHash } from 'node:crypto';
import { corpusOf, type EmbeddingDataset } from './dataset';

/**
 * A dataset in which every question's relevant chunk is the one it was asked about. The whole corpus is in it, chunks
 * without questions too: they are what retrieval must tell apart.
 * @param questions Chunk id → questions, as a question generator returns them.
 * @throws Error if a question belongs to no chunk.
 */
export function buildDataset(
  chunks: { id: string; text: string }[],
  questions: ReadonlyMap<string, string[]>,
): EmbeddingDataset {
  const dataset: EmbeddingDataset = { queries: {}, corpus: corpusOf(chunks), relevantDocs: {} };
  for (const id of questions.keys())
    if (!Object.hasOwn(dataset.corpus, id))
      throw new Error(`There are questions about chunk ${id}, which is not in the corpus.`);
  for (const { id } of chunks) {
    for (const question of questions.get(id) ?? []) {
      const queryId = questionId(id, question);
      dataset.queries[queryId] = question;
      dataset.relevantDocs[queryId] = [id];
    }
  }
  return dataset;
}

/** A UUID (version 8, RFC 9562) that depends on nothing but its parts. */
export function questionId(...parts: string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  hash[6] = (hash[6] & 0x0f) | 0x80;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
