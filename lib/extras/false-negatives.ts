// In: a batch and a guide's similarities. Out: the batch with its false negatives masked: chunks that answer a question
// without being labelled so (GISTEmbed: Solatorio 2024, section 3; NV-Retriever: Moreira et al. 2024, section 3).
import { type Embedder, rowOf } from '../common/matrix';
import { tf } from '../model/tf';
import type { TrainingBatch, TrainingPairs } from '../train/batches';
import type { Variant } from '../train/learner';
import { columnMaxima, cosineSimilarities, type LossBatch } from '../train/ranking-loss';
import { embedPairs } from './embed-pairs';

/** Where "as similar as the positive" begins. */
export interface FalseNegativeMargin {
  /** A column more similar to the question than its chunk's similarity minus this much is left out of the negatives. */
  margin: number;
  /**
   * `absolute`: a difference of cosines, 0 in GISTEmbed, 0.05 as NV-Retriever's TopK-MarginPos. `relative`: a share of
   * the positive's cosine, 0.05 as NV-Retriever's TopK-PercPos with 95%.
   */
  strategy: 'absolute' | 'relative';
}

/**
 * Leaves false negatives out, as found by a guide that stays as it is: the base model, or any other embedder. Each text
 * is embedded once, here.
 *
 * Use it where a corpus repeats itself (reports of several years, boilerplate), so that a batch holds more than one
 * right answer: one pass over the texts, then nothing measurable a step.
 */
export async function guided(guide: Embedder, data: TrainingPairs, margin: FalseNegativeMargin): Promise<Variant> {
  const { queries, queryRow, chunks, chunkRows } = await embedPairs(guide, data);
  const mask = (batch: TrainingBatch) => {
    const similarities = batch.queryIds.flatMap((queryId) => {
      const query = rowOf(queries, queryRow.get(queryId)!);
      // Each chunk once, though it may have several columns; a chunk of several windows is as near as its nearest.
      const ofChunk = batch.chunkIds.map((id) =>
        Math.max(...chunkRows.get(id)!.map((vector) => dot(query, rowOf(chunks, vector)))),
      );
      return Array.from(batch.columnChunks, (chunk) => ofChunk[chunk]);
    });
    return maskFalseNegatives(batch, Float32Array.from(similarities), margin);
  };
  return (method) => ({
    ...method,
    name: `${method.name}, guided by ${guide.name} ${JSON.stringify(margin)}`,
    prepareBatch: (batch) => mask(method.prepareBatch(batch)),
  });
}

/**
 * Leaves false negatives out, as the model itself finds them at each step: no second model, no pass over the texts. No
 * gradient flows through the choice. Early in training, and with a margin, it also spares true negatives that the model
 * cannot tell yet: prefer {@link guided} if a good guide is at hand.
 */
export function selfGuided(margin: FalseNegativeMargin): Variant {
  return (method) => ({
    ...method,
    name: `${method.name}, self-guided ${JSON.stringify(margin)}`,
    loss: (questions, columns, batch) => {
      const cosines = tf.tidy(() => cosineSimilarities(questions, columns).dataSync() as Float32Array);
      return method.loss(questions, columns, maskFalseNegatives(batch, columnMaxima(cosines, batch), margin));
    },
  });
}

/**
 * The batch with every column that the guide finds too similar to a question added to that question's known positives.
 * Names and rule as in sentence-transformers' GISTEmbedLoss; here for hard negatives alike, and with any loss.
 *
 * @param similarities the guide's cosines, [questions, columns]
 */
export function maskFalseNegatives<T extends LossBatch>(
  batch: T,
  similarities: Float32Array,
  { margin, strategy }: FalseNegativeMargin,
): T {
  const knownPositives = [...batch.knownPositives];
  batch.targets.forEach((target, row) => {
    const first = row * batch.columns;
    const positive = similarities[first + target];
    const limit = positive - (strategy === 'absolute' ? margin : Math.abs(positive) * margin);
    for (let column = 0; column < batch.columns; column++) {
      if (column !== target && similarities[first + column] > limit) knownPositives.push([row, column]);
    }
  });
  return { ...batch, knownPositives };
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
