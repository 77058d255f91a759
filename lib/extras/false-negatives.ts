// False negatives: chunks of a batch that answer a question without being labelled so. A guide's similarities → a batch in which
// they don't count as negatives (GISTEmbed: Solatorio 2024, section 3; NV-Retriever: Moreira et al. 2024, positive-aware mining).
import type { Embedder, Embeddings, Matrix } from '../common/matrix';
import { tf } from '../model/tf';
import type { TrainingBatch, TrainingPairs } from '../train/batches';
import { columnMaxima, cosineSimilarities, type LossBatch } from '../train/ranking-loss';
import type { Loss } from '../train/step';

/** Where "as similar as the positive" begins. */
export interface FalseNegativeMargin {
  /** A column more similar to the question than its chunk's similarity minus this much is left out of the negatives. */
  margin: number;
  /**
   * `absolute`: a difference of cosines, 0 in GISTEmbed, 0.05 as NV-Retriever's TopK-MarginPos. `relative`: a share of the positive's
   * cosine, 0.05 as NV-Retriever's TopK-PercPos with 95%.
   */
  strategy: 'absolute' | 'relative';
}

/**
 * The batch with every column that the guide finds too similar to a question added to that question's known positives. Names and rule as in
 * sentence-transformers' GISTEmbedLoss; here for hard negatives alike, and with whichever loss is used.
 *
 * @param similarities the guide's cosines, [questions, columns]
 */
export function maskFalseNegatives<T extends LossBatch>(
  batch: T,
  similarities: Matrix,
  { margin, strategy }: FalseNegativeMargin,
): T {
  const knownPositives = [...batch.knownPositives];
  batch.targets.forEach((target, row) => {
    const positive = similarities.data[row * similarities.columns + target];
    const limit = positive - (strategy === 'absolute' ? margin : Math.abs(positive) * margin);
    for (let column = 0; column < batch.columns; column++) {
      if (column !== target && similarities.data[row * similarities.columns + column] > limit)
        knownPositives.push([row, column]);
    }
  });
  return { ...batch, knownPositives };
}

/**
 * False-negative filtering by a guide that stays as it is: the base model, or any other embedder. Each text is embedded once, here.
 *
 * Use it where a corpus repeats itself (reports of several years, boilerplate), so that a batch holds more than one right answer: one pass
 * over the texts, then nothing measurable a step.
 *
 * @returns for each batch the same batch with its false negatives masked
 */
export async function createFalseNegativeFilter(
  guide: Embedder,
  data: TrainingPairs,
  margin: FalseNegativeMargin,
): Promise<(batch: TrainingBatch) => TrainingBatch> {
  const queryRow = new Map(Object.keys(data.queries).map((id, row) => [id, row]));
  const queries = await guide.embedQueries(Object.values(data.queries));
  const corpus = await guide.embedDocuments(Object.values(data.corpus));
  const chunkRows = rowsByChunk(Object.keys(data.corpus), corpus);
  return (batch) => {
    const similarities: Matrix = {
      data: new Float32Array(batch.queryIds.length * batch.columns),
      rows: batch.queryIds.length,
      columns: batch.columns,
    };
    batch.queryIds.forEach((queryId, row) => {
      const query = rowOf(queries, queryRow.get(queryId)!);
      // Each chunk once, though it may have several columns; a chunk of several windows is as near as its nearest.
      const ofChunk = batch.chunkIds.map((id) =>
        Math.max(...chunkRows.get(id)!.map((vector) => cosine(query, rowOf(corpus.vectors, vector)))),
      );
      batch.columnChunks.forEach((chunk, column) => {
        similarities.data[row * batch.columns + column] = ofChunk[chunk];
      });
    });
    return maskFalseNegatives(batch, similarities, margin);
  };
}

/**
 * False-negative filtering by the model itself, as it is at this step: no second model, no pass over the texts. No gradient flows through
 * the choice. Early in training, and with a margin, it also spares true negatives that the model cannot tell yet: prefer
 * {@link createFalseNegativeFilter} if a good guide is at hand.
 */
export function selfGuidedLoss(loss: Loss, margin: FalseNegativeMargin): Loss {
  return (questions, columns, batch) => {
    const cosines = tf.tidy(() => cosineSimilarities(questions, columns).dataSync() as Float32Array);
    const similarities: Matrix = {
      data: columnMaxima(cosines, batch),
      rows: batch.targets.length,
      columns: batch.columns,
    };
    return loss(questions, columns, maskFalseNegatives(batch, similarities, margin));
  };
}

const rowOf = ({ data, columns }: Matrix, row: number): Float32Array =>
  data.subarray(row * columns, (row + 1) * columns);

function rowsByChunk(ids: string[], { owners }: Embeddings): Map<string, number[]> {
  const rows = new Map<string, number[]>(ids.map((id) => [id, []]));
  owners.forEach((owner, row) => {
    rows.get(ids[owner])!.push(row);
  });
  return rows;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return dot / Math.max(Math.sqrt(aa * bb), 1e-12);
}
