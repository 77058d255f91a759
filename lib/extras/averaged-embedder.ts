// In: an embedder that gives a document several vectors. Out: one that gives it their mean.
import { type Embedder, normalizedRows } from '../common/matrix';

/**
 * One vector a document, the mean of its windows' vectors, each at length 1 before.
 *
 * Use it where the index must stay small, or the vector store takes one vector a document: unlike the vector of a text
 * cut at the model's length, it has seen all of the text. Scoring by windows finds more.
 *
 * @param embedder such as a {@link windowedEmbedder}
 */
export function averagedEmbedder(embedder: Embedder): Embedder {
  return {
    name: `${embedder.name}, averaged`,
    embedQueries: (texts, onProgress) => embedder.embedQueries(texts, onProgress),
    async embedDocuments(texts, onProgress) {
      const { vectors, owners } = await embedder.embedDocuments(texts, onProgress);
      const { data, columns } = normalizedRows(vectors);
      const means = new Float32Array(texts.length * columns);
      const counts = new Int32Array(texts.length);
      for (const owner of owners) counts[owner]++;
      owners.forEach((owner, row) => {
        for (let i = 0; i < columns; i++) means[owner * columns + i] += data[row * columns + i] / counts[owner];
      });
      return { vectors: { data: means, rows: texts.length, columns }, owners: Int32Array.from(counts.keys()) };
    },
  };
}
