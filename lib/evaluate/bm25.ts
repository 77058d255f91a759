// In: texts. Out: a keyword search engine, and its rankings: the baseline that needs no model.

import { terms } from '../common/text/terms';
import { type WindowSettings, windowRanges } from '../common/windows';
import type { EmbeddingDataset } from '../dataset/dataset';
import { documentScores } from './document-scores';
import { bestDocuments, RANKING_DEPTH, type RankedDocument, type Rankings } from './rankings';

/** How BM25 weighs, and what it counts as one text. */
export interface Bm25Options {
  /** How soon further occurrences of a term stop counting (default 1.5). */
  k1?: number;
  /** How far scores are normalised by length, 0 to 1 (default 0.75). */
  b?: number;
  /** Scores a document by overlapping windows of so many terms (stop words not counted); without, as a whole. */
  windows?: WindowSettings;
}

/** About 100 words a window, a new one every 50. */
export const BM25_WINDOWS: WindowSettings = { size: 60, stride: 30 };

/** In points of BM25: how far a document's further windows count beside its best. */
const TEMPERATURE = 2;

/**
 * Okapi BM25 (Robertson & Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.4) with
 * Lucene's idf, ln(1 + (N − n + ½) / (n + ½)), which is never negative. By windows, a document's score is made of theirs as
 * {@link documentScores} makes it of its vectors': terms that stand together count more than the same ones far apart.
 */
export class Bm25Index {
  private readonly ids: string[];
  /** For each window, the index of its document. */
  private readonly owners: number[] = [];
  /** For each term: pairs (window, score that one occurrence of the term in the query adds). */
  private readonly postings = new Map<string, { windows: number[]; scores: number[] }>();

  /**
   * @param corpus texts by document id
   * @throws {Error} if the corpus is empty.
   * @throws {RangeError} as `windowRanges` does.
   */
  constructor(corpus: Record<string, string>, options: Bm25Options = {}) {
    const { k1 = 1.5, b = 0.75, windows } = options;
    this.ids = Object.keys(corpus);
    if (this.ids.length === 0) throw new Error('BM25 needs at least one document.');
    const texts: string[][] = [];
    Object.values(corpus).forEach((text, owner) => {
      const all = terms(text);
      const ranges = windows ? windowRanges(all.length, windows.size, windows.stride) : [[0, all.length]];
      for (const [start, end] of ranges) {
        texts.push(all.slice(start, end));
        this.owners.push(owner);
      }
    });
    const meanLength = texts.reduce((sum, { length }) => sum + length, 0) / texts.length;
    texts.forEach((text, i) => {
      const counts = new Map<string, number>();
      for (const term of text) counts.set(term, (counts.get(term) ?? 0) + 1);
      const saturation = k1 * (1 - b + (b * text.length) / meanLength);
      for (const [term, count] of counts) {
        const posting = this.postings.get(term) ?? { windows: [], scores: [] };
        this.postings.set(term, posting);
        posting.windows.push(i);
        posting.scores.push((count * (k1 + 1)) / (count + saturation));
      }
    });
    for (const { scores } of this.postings.values()) {
      const idf = Math.log(1 + (texts.length - scores.length + 0.5) / (scores.length + 0.5));
      for (let i = 0; i < scores.length; i++) scores[i] *= idf;
    }
  }

  /** The best `topK` documents that share a term with the query, best first, ties by ascending id. */
  search(query: string, topK: number = RANKING_DEPTH): RankedDocument[] {
    return this.rank([query], topK)[0];
  }

  /** `search` for each of several queries. */
  rank(queries: string[], topK: number = RANKING_DEPTH): Rankings {
    return queries.map((query) => {
      const ofWindows = new Float64Array(this.owners.length);
      for (const term of terms(query)) {
        const posting = this.postings.get(term);
        posting?.windows.forEach((window, i) => {
          ofWindows[window] += posting.scores[i];
        });
      }
      const scores = documentScores(ofWindows, this.owners, this.ids.length, TEMPERATURE);
      const matched = scores.map((score) => (score > 0 ? score : Number.NEGATIVE_INFINITY));
      return bestDocuments(this.ids, matched, topK);
    });
  }
}

/**
 * BM25's ranking of a dataset's corpus for each of its queries; documents that share no term with a query are left out.
 * @param options those of the index, and `topK`: documents to keep a query (default 100; `Infinity` keeps all)
 */
export function rankByBm25(dataset: EmbeddingDataset, options: Bm25Options & { topK?: number } = {}): Rankings {
  return new Bm25Index(dataset.corpus, options).rank(Object.values(dataset.queries), options.topK);
}
