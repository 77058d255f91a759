// In: similarities of a question to the vectors of documents. Out: one score a document.

/** 1 over the loss's `DEFAULT_SCALE`, so that a search compares what training compared. */
export const WINDOW_TEMPERATURE = 0.05;

/**
 * A document's score from those of its vectors (windows, say): T · log mean exp(s / T), their maximum softened, so that
 * a document with several fitting windows comes before one with a single window that fits by chance (log-mean-exp
 * pooling: Pinheiro & Collobert 2015, "From image-level to pixel-level labeling with convolutional networks",
 * section 3). A document with one vector has that one's score.
 *
 * @param scores `[vectors]`; `owners`: the index of each one's document, below `documents`
 * @param temperature T; 0 takes the maximum (MaxP: Dai & Callan 2019, "Deeper Text Understanding for IR", section 3)
 * @returns `[documents]`; minus infinity where a document has no vector
 */
export function documentScores(
  scores: ArrayLike<number>,
  owners: ArrayLike<number>,
  documents: number,
  temperature = WINDOW_TEMPERATURE,
): Float64Array {
  const best = new Float64Array(documents).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < scores.length; i++) best[owners[i]] = Math.max(best[owners[i]], scores[i]);
  if (temperature === 0) return best;
  const sums = new Float64Array(documents); // Σ exp((s − best) / T)
  const counts = new Int32Array(documents);
  for (let i = 0; i < scores.length; i++) {
    sums[owners[i]] += Math.exp((scores[i] - best[owners[i]]) / temperature);
    counts[owners[i]]++;
  }
  return best.map((score, document) =>
    counts[document] > 1 ? score + temperature * Math.log(sums[document] / counts[document]) : score,
  );
}
