// In: texts as lists of terms. Out: what each term weighs in each text, and what a query scores against all of them.

/** How soon further occurrences of a term stop counting. */
const K1 = 1.5;
/** How far scores are normalised by length, 0 to 1. */
const B = 0.75;

/**
 * Okapi BM25 (Robertson & Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.4) with
 * Lucene's idf, ln(1 + (N − n + ½) / (n + ½)), which is never negative.
 */
export class Bm25 {
  private readonly count: number;
  /** Term → text → weight of the term there. */
  private readonly postings = new Map<string, Map<number, number>>();

  /** @param texts the terms of each text; texts are known by their position from 0 */
  constructor(texts: string[][]) {
    this.count = texts.length;
    const meanLength = texts.reduce((sum, { length }) => sum + length, 0) / texts.length;
    texts.forEach((text, at) => {
      const counts = new Map<string, number>();
      for (const term of text) counts.set(term, (counts.get(term) ?? 0) + 1);
      const saturation = K1 * (1 - B + (B * text.length) / meanLength);
      for (const [term, count] of counts) {
        const posting = this.postings.get(term) ?? new Map<number, number>();
        this.postings.set(term, posting.set(at, (count * (K1 + 1)) / (count + saturation)));
      }
    });
    for (const posting of this.postings.values()) {
      const idf = Math.log(1 + (texts.length - posting.size + 0.5) / (posting.size + 0.5));
      for (const [at, weight] of posting) posting.set(at, weight * idf);
    }
  }

  /** What one occurrence of a term in a query adds to a text's score; 0 where the text lacks it. */
  weight(term: string, text: number): number {
    return this.postings.get(term)?.get(text) ?? 0;
  }

  /** The score of every text, in their order; a term asked twice counts twice. */
  scores(query: string[]): Float64Array {
    const scores = new Float64Array(this.count);
    for (const term of query) {
      this.postings.get(term)?.forEach((weight, text) => {
        scores[text] += weight;
      });
    }
    return scores;
  }
}
