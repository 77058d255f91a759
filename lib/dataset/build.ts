// In: chunks and their questions. Out: a dataset, with the same ids in every run.
import { questionId } from '../common/ids';
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
