// In: texts. Out: a keyword search engine, and its rankings: the baseline that needs no model.

import type { EmbeddingDataset } from '../dataset/dataset';
import { bestDocuments, RANKING_DEPTH, type RankedDocument, type Rankings } from './rankings';
import { terms } from './terms';

/**
 * Okapi BM25 (Robertson & Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.4) with
 * Lucene's idf, ln(1 + (N − n + ½) / (n + ½)), which is never negative.
 */
export class Bm25Index {
  private readonly ids: string[];
  /** For each term: pairs (document, score that one occurrence of the term in the query adds). */
  private readonly postings = new Map<string, { documents: number[]; scores: number[] }>();

  /**
   * @param corpus texts by document id
   * @param options `k1`: how soon further occurrences of a term stop counting (default 1.5); `b`: how far scores are
   *   normalised by document length, 0 to 1 (default 0.75)
   * @throws {Error} if the corpus is empty.
   */
  constructor(corpus: Record<string, string>, options: { k1?: number; b?: number } = {}) {
    const { k1 = 1.5, b = 0.75 } = options;
    this.ids = Object.keys(corpus);
    if (this.ids.length === 0) throw new Error('BM25 needs at least one document.');
    const documents = Object.values(corpus).map(terms);
    const meanLength = documents.reduce((sum, document) => sum + document.length, 0) / documents.length;
    documents.forEach((document, i) => {
      const counts = new Map<string, number>();
      for (const term of document) counts.set(term, (counts.get(term) ?? 0) + 1);
      const saturation = k1 * (1 - b + (b * document.length) / meanLength);
      for (const [term, count] of counts) {
        const posting = this.postings.get(term) ?? { documents: [], scores: [] };
        this.postings.set(term, posting);
        posting.documents.push(i);
        posting.scores.push((count * (k1 + 1)) / (count + saturation));
      }
    });
    for (const { scores } of this.postings.values()) {
      const idf = Math.log(1 + (documents.length - scores.length + 0.5) / (scores.length + 0.5));
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
      const scores = new Float64Array(this.ids.length);
      for (const term of terms(query)) {
        const posting = this.postings.get(term);
        posting?.documents.forEach((document, i) => {
          scores[document] += posting.scores[i];
        });
      }
      const matched = scores.map((score) => (score > 0 ? score : Number.NEGATIVE_INFINITY));
      return bestDocuments(this.ids, matched, topK);
    });
  }
}

/**
 * BM25's ranking of a dataset's corpus for each of its queries; documents that share no term with a query are left out.
 * @param topK documents to keep a query (default 100; `Infinity` keeps all)
 */
export function rankByBm25(dataset: EmbeddingDataset, topK: number = RANKING_DEPTH): Rankings {
  return new Bm25Index(dataset.corpus).rank(Object.values(dataset.queries), topK);
}
