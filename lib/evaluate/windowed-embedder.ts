// In: an embedding model. Out: an embedder with a vector a window of a document: the whole text is seen, and sharply.
import type { Embedder } from '../common/matrix';
import type { WindowSettings } from '../common/windows';
import type { EmbeddingModel } from '../model/embedding-model';
import type { SearchSettings } from '../model/search-settings';
import { windowSequences } from '../model/tokenizer';
import { FUSION_WEIGHT } from './fusion';
import { WINDOW_TEMPERATURE } from './vector-scores';

const USUAL: WindowSettings = { size: 94, stride: 47 };

/** How to search with a model that says nothing of it: windows as `RECIPES.best` trains, overlapping by half. */
export const DEFAULT_SEARCH = {
  windows: USUAL,
  windowTemperature: WINDOW_TEMPERATURE,
  bm25Weight: FUSION_WEIGHT,
} satisfies SearchSettings;

type Reading = Pick<EmbeddingModel, 'queryTokenizer' | 'documentTokenizer' | 'maxSeqLength'>;

/** A text's word pieces that a model reads at once: special tokens and the longer prompt take the rest. */
export function roomOf({ queryTokenizer: { around }, documentTokenizer, maxSeqLength }: Reading): number {
  return maxSeqLength - Math.max(around.before.length, documentTokenizer.around.before.length) - around.after.length;
}

/** Windows of `size` word pieces, the usual ones by default, or, where the model reads less, of what it reads. */
export function fitWindows(model: Reading, size = USUAL.size, stride = USUAL.stride): WindowSettings {
  const fitting = Math.min(size, roomOf(model));
  return { size: fitting, stride: Math.min(stride, fitting) };
}

/** What it needs of a model: trained here, or loaded for a search. */
type WindowModel = Pick<EmbeddingModel, 'name' | 'documentTokenizer' | 'maxSeqLength' | 'embedQueries' | 'embedTokens'>;

/**
 * Embeds documents by overlapping windows; a document's score is made of its windows' (`documentScores`), as in
 * Dai & Callan 2019, "Deeper Text Understanding for IR with Contextual Neural Language Modeling", section 3. Questions
 * stay whole.
 *
 * Use it where chunks are longer than the model reads, or hold more than one vector can say; it costs one a window.
 *
 * @param windows `size` in word pieces; with special tokens and prompt they must fit the model's length
 * @throws RangeError if they don't
 */
export function windowedEmbedder(model: WindowModel, windows: WindowSettings): Embedder {
  const { documentTokenizer, maxSeqLength } = model;
  windowSequences(documentTokenizer, '', windows, maxSeqLength); // refuses windows that don't fit before any work
  return {
    name: `${model.name}, windows`,
    embedQueries: (texts, onProgress) => model.embedQueries(texts, onProgress),
    async embedDocuments(texts, onProgress) {
      const sequences = texts.map((text) => windowSequences(documentTokenizer, text, windows, maxSeqLength));
      const owners = Int32Array.from(sequences.flatMap((own, owner) => own.map(() => owner)));
      const vectors = await model.embedTokens(sequences.flat(), (done, total) =>
        onProgress?.(Math.floor((done / total) * texts.length), texts.length),
      );
      return { vectors, owners };
    },
  };
}
