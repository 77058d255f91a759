// In: vectors of questions and of chunks. Out: the table of their cosines, for small batches that are shown or plotted.
import { type Embeddings, type Matrix, normalizedRows, rowOf } from '../common/matrix';
import { documentScores } from './document-scores';

/**
 * `result[i][j]`: cosine similarity of question i and chunk j, scored as `documentScores` does where it has several
 * vectors; 0 where a vector is all zeros.
 *
 * @param queries `[questions, dimensions]`
 * @param chunks every chunk has a vector or more
 */
export function similarityRows(queries: Matrix, { vectors, owners }: Embeddings): number[][] {
  const [asked, found] = [normalizedRows(queries), normalizedRows(vectors)];
  const chunks = owners.reduce((highest, owner) => Math.max(highest, owner + 1), 0);
  return Array.from({ length: asked.rows }, (_, i) => {
    const cosines = Array.from(owners, (_, row) => {
      const vector = rowOf(found, row);
      return rowOf(asked, i).reduce((sum, value, d) => sum + value * vector[d], 0);
    });
    return Array.from(documentScores(cosines, owners, chunks));
  });
}
