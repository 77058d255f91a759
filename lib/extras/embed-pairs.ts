// In: question–chunk pairs and a frozen embedder. Out: the vectors of all texts, and which rows are whose.
import { type Embedder, normalizedRows } from '../common/matrix';
import type { TrainingPairs } from '../train/batches';

/**
 * @returns vectors of length 1; `queryRow`: a question's row in `queries`; `chunkRows`: which rows of `chunks` are a
 *   chunk's
 */
export async function embedPairs(embedder: Embedder, data: TrainingPairs) {
  const queries = normalizedRows(await embedder.embedQueries(Object.values(data.queries)));
  const { vectors, owners } = await embedder.embedDocuments(Object.values(data.corpus));
  const ids = Object.keys(data.corpus);
  const queryRow = new Map(Object.keys(data.queries).map((id, row) => [id, row]));
  const chunkRows = Map.groupBy(owners.keys(), (row) => ids[owners[row]]);
  return { queries, queryRow, chunks: normalizedRows(vectors), chunkRows };
}
