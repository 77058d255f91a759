// Chunk texts go in; out comes how much each term says about each chunk, and how well a question points to its own.
// Weights are BM25's (Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework", section 3.1).

const STOP_WORDS = new Set(
  `a about above after again all also although among an and any are as at be because been before being between both but by can could
did do does doing during each either for from further had has have having he her his how however i if in including into is it its may
might more most must my no nor not of on once one only or other our out over own same shall she should so some such than that the
their them then there these they this those through to too under until up upon us use used very was we well were what when where
whether which while who whom whose why will with within without would you your company following respectively say says said explain
explains circumstances terms purpose much many related role regard connection relation reader know disclosed particular amounts percentage often since`.split(
    /\s+/,
  ),
);

const K1 = 1.2;
const B = 0.75;

/** The content words of a text, lower case, lightly stemmed so that `taxes` meets `tax`. */
export function termsOf(text: string): string[] {
  const found =
    text
      .toLowerCase()
      .replace(/’/g, "'")
      .match(/\p{L}[\p{L}\p{N}]*(?:['-][\p{L}\p{N}]+)*|\d[\d.,]*\d/gu) ?? [];
  return found.filter((word) => !STOP_WORDS.has(word)).map(stem);
}

function stem(word: string): string {
  const base = word.replace(/'s?$/, '');
  if (base.length < 5) return base.replace(/(?<=[^s])s$/, '');
  return base
    .replace(/ies$/, 'y')
    .replace(/(?<=s|x|ch|sh)es$/, '')
    .replace(/(?<=[^s])s$/, '')
    .replace(/(?<=\p{L}{4})(ing|ed)$/u, '')
    .replace(/(?<=\p{L}{4})e$/u, '');
}

/** Term weights over all chunks. Chunks are counted from 0 in the order given. */
export class Salience {
  private readonly postings = new Map<string, Map<number, number>>();
  private readonly lengths: number[];
  private readonly meanLength: number;

  constructor(texts: string[]) {
    this.lengths = texts.map((text, chunk) => {
      const terms = termsOf(text);
      for (const term of terms) {
        const chunks = this.postings.get(term) ?? new Map<number, number>();
        if (chunks.size === 0) this.postings.set(term, chunks);
        chunks.set(chunk, (chunks.get(chunk) ?? 0) + 1);
      }
      return terms.length;
    });
    this.meanLength = Math.max(1, this.lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, texts.length));
  }

  /** ln(1 + (N − n + ½) / (n + ½)): high for a term that few chunks hold. */
  idf(term: string): number {
    const n = this.postings.get(term)?.size ?? 0;
    return Math.log(1 + (this.lengths.length - n + 0.5) / (n + 0.5));
  }

  /** BM25 weight of one term in one chunk; 0 where the chunk lacks it. */
  weight(term: string, chunk: number): number {
    const tf = this.postings.get(term)?.get(chunk) ?? 0;
    const length = K1 * (1 - B + (B * this.lengths[chunk]) / this.meanLength);
    return (this.idf(term) * tf * (K1 + 1)) / (tf + length);
  }

  /** Mean weight of a text's distinct terms in its chunk, short texts damped: what it says about the chunk. */
  of(text: string, chunk: number): number {
    const terms = [...new Set(termsOf(text))];
    return terms.reduce((sum, term) => sum + this.weight(term, chunk), 0) / (terms.length + 4);
  }

  /**
   * How clearly a question points to its chunk: the chunk's BM25 score over the best other chunk's.
   * Above 1 the chunk ranks first; 0 where no term of the question is in the chunk.
   */
  pointsTo(question: string, chunk: number): number {
    const scores = new Map<number, number>();
    for (const term of new Set(termsOf(question)))
      for (const other of this.postings.get(term)?.keys() ?? [])
        scores.set(other, (scores.get(other) ?? 0) + this.weight(term, other));
    let best = 0;
    for (const [other, score] of scores) if (other !== chunk && score > best) best = score;
    return (scores.get(chunk) ?? 0) / Math.max(best, 1e-9);
  }
}
