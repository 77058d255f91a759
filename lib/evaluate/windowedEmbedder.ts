// An embedding model → an embedder that gives a document one vector a window, so that the whole text is seen, sharply.
import type { EmbeddingModel } from '../model/embeddingModel';
import type { Embedder } from '../model/matrix';
import { windowRanges } from './windows';

/** How a document is cut for the model: windows of `size` word pieces, `stride` apart. */
export interface WindowSettings {
  size: number;
  stride: number;
}

/**
 * Embeds documents by overlapping windows; a document then scores as its best window does (MaxP: Dai & Callan 2019,
 * "Deeper Text Understanding for IR with Contextual Neural Language Modeling", section 3). Questions stay whole.
 *
 * Use it where chunks are longer than the model reads, or hold more than one vector can say. It costs one vector a window.
 *
 * @param windows `size` in word pieces without special tokens; together they must fit the model's length
 * @throws RangeError if they don't
 */
export function windowedEmbedder(model: EmbeddingModel, windows: WindowSettings): Embedder {
  const { tokenizer, maxSeqLength } = model;
  const { before, after } = tokenizer.around;
  const largest = maxSeqLength - before.length - after.length;
  if (windows.size > largest) {
    throw new RangeError(`Windows of ${windows.size} word pieces are more than the model's ${largest}.`);
  }
  return {
    name: `${model.name}, windows`,
    embedQueries: (texts, onProgress) => model.embedQueries(texts, onProgress),
    async embedDocuments(texts, onProgress) {
      const owners: number[] = [];
      const sequences: Int32Array[] = [];
      texts.forEach((text, owner) => {
        const ids = tokenizer.encodeWhole(text);
        for (const [start, end] of windowRanges(ids.length, windows.size, windows.stride)) {
          owners.push(owner);
          sequences.push(Int32Array.from([...before, ...ids.subarray(start, end), ...after]));
        }
      });
      const vectors = await model.embedTokens(sequences, (done, total) =>
        onProgress?.(Math.floor((done / total) * texts.length), texts.length),
      );
      return { vectors, owners: Int32Array.from(owners) };
    },
  };
}
