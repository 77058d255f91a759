// In: texts. Out: a keyword search engine, and its rankings: the baseline that needs no model.
import { Bm25 } from '../common/text/bm25';
import { languageOf } from '../common/text/language';
import { terms } from '../common/text/terms';
import { type WindowSettings, windowRanges } from '../common/windows';
import type { EmbeddingDataset } from '../dataset/dataset';
import { bestDocuments, RANKING_DEPTH, type Rankings } from './rankings';
import { documentScores } from './vector-scores';

/** About 100 words a window, a new one every 50. */
export const BM25_WINDOWS: WindowSettings = { size: 60, stride: 30 };

/** In points of BM25: how far a document's further windows count beside its best. */
const TEMPERATURE = 2;

/**
 * Ranks documents by {@link Bm25}. By windows, a document's score is made of theirs as {@link documentScores} makes it
 * of its vectors': terms that stand together count more than the same ones far apart.
 */
export class Bm25Index {
  private readonly ids: string[];
  /** For each window, the index of its document. */
  private readonly owners: number[] = [];
  private readonly windows: Bm25;
  /** Of the first texts: stop words and stems are its. */
  private readonly language: string;

  /**
   * @param corpus texts by document id
   * @param options `windows`: scores a document by overlapping ones of so many terms, stop words not counted
   */
  constructor(corpus: Record<string, string>, { windows }: { windows?: WindowSettings } = {}) {
    this.ids = Object.keys(corpus);
    this.language = languageOf(Object.values(corpus).slice(0, 50).join('\n'));
    const texts = Object.values(corpus).flatMap((text, owner) => {
      const all = terms(text, this.language);
      const ranges = windows ? windowRanges(all.length, windows.size, windows.stride) : [[0, all.length]];
      for (const _ of ranges) this.owners.push(owner);
      return ranges.map(([start, end]) => all.slice(start, end));
    });
    this.windows = new Bm25(texts);
  }

  /** For each query, the best `topK` documents that share a term with it, best first, ties by ascending id. */
  rank(queries: string[], topK: number = RANKING_DEPTH): Rankings {
    return queries.map((query) => {
      const ofWindows = this.windows.scores(terms(query, this.language));
      const scores = documentScores(ofWindows, this.owners, this.ids.length, TEMPERATURE);
      const matched = scores.map((score) => (score > 0 ? score : Number.NEGATIVE_INFINITY));
      return bestDocuments(this.ids, matched, topK);
    });
  }
}

/**
 * {@link Bm25Index.rank}s a dataset's corpus for each of its queries.
 * @param options those of the index, and `topK`: documents to keep a query (default 100; `Infinity` keeps all)
 */
export function rankByBm25(
  dataset: EmbeddingDataset,
  options: { windows?: WindowSettings; topK?: number } = {},
): Rankings {
  return new Bm25Index(dataset.corpus, options).rank(Object.values(dataset.queries), options.topK);
}
