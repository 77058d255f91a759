// In: chunks and the vectors of their windows, by model. Out: for a question, the best chunks and their ranks by each
// retriever, as `evaluate` ranks. Runs in Node and in the reader's page.
import { type Embeddings, type Matrix, rowOf } from '../../common/matrix';
import { BM25_WINDOWS, Bm25Index } from '../../evaluate/bm25-index';
import { rankByVectors } from '../../evaluate/rankings';

/** What all retrievers search. */
export interface Searched {
  /** Texts by id. */
  corpus: Record<string, string>;
  /** For each text, in the corpus's order, where its windows start and end. */
  windows: [start: number, end: number][][];
  /** As in `rankByVectors`. */
  windowTemperature: number;
}

/** A text that was found. */
export interface Found {
  id: string;
  /** By retriever, 1 is first; null if it did not find the text. */
  ranks: Record<string, number | null>;
  /** The window that fits best by the last model, with some text before and after it. */
  window: [before: string, window: string, after: string];
}

/** Characters shown before and after a window. */
const AROUND = 80;
/** Of each retriever's ranking, so many are shown. */
const FIRST = 3;
const ALL = Number.POSITIVE_INFINITY;

export class Searcher {
  private readonly ids: string[];
  private readonly keywords: Bm25Index;
  private readonly documents: [name: string, Embeddings][];

  /** @param vectors by model, `[windows of all texts, dimensions]` of length 1 */
  constructor(
    private readonly searched: Searched,
    vectors: Record<string, Matrix>,
  ) {
    this.ids = Object.keys(searched.corpus);
    this.keywords = new Bm25Index(searched.corpus, { windows: BM25_WINDOWS });
    const owners = Int32Array.from(searched.windows.flatMap((own, owner) => own.map(() => owner)));
    this.documents = Object.entries(vectors).map(([name, of]) => [name, { vectors: of, owners }]);
  }

  /**
   * The first texts of each retriever, in the last model's order.
   * @param asked the question's vector by model, `[1, dimensions]`
   */
  search(question: string, asked: Record<string, Matrix>): Found[] {
    const rankings = this.documents.map(([name, documents]) => [name, this.rank(asked[name], documents)] as const);
    const keywords = this.keywords.rank([question], ALL)[0];
    const places = [...rankings, ['BM25', keywords] as const].map(
      ([name, ranking]) => [name, new Map(ranking.map(({ id }, place) => [id, place + 1]))] as const,
    );
    const [last, ranking] = rankings[rankings.length - 1];
    const shown = ranking.filter(({ id }) => places.some(([, of]) => (of.get(id) ?? ALL) <= FIRST));
    return shown.map(({ id }) => ({
      id,
      ranks: Object.fromEntries(places.map(([name, of]) => [name, of.get(id) ?? null])),
      window: this.bestWindow(id, asked[last]),
    }));
  }

  /** The texts that the last model finds for a text: for the mean of its windows' vectors. */
  neighbours(id: string): { text: string; score: number }[] {
    const { rows, documents } = this.windowsOf(id);
    const sum = rows[0].map((_, i) => rows.reduce((total, row) => total + row[i], 0));
    const ranking = this.rank({ data: sum, rows: 1, columns: sum.length }, documents);
    const nearest = ranking.filter((other) => other.id !== id).slice(0, FIRST);
    return nearest.map((other) => ({ text: this.searched.corpus[other.id], score: other.score }));
  }

  private rank(asked: Matrix, documents: Embeddings) {
    const { windowTemperature } = this.searched;
    return rankByVectors(asked, documents, this.ids, { topK: ALL, windowTemperature })[0];
  }

  private windowsOf(id: string) {
    const [, documents] = this.documents[this.documents.length - 1];
    const text = this.ids.indexOf(id);
    const first = documents.owners.indexOf(text);
    const windows = this.searched.windows[text];
    return { windows, documents, rows: windows.map((_, i) => rowOf(documents.vectors as Matrix, first + i)) };
  }

  private bestWindow(id: string, asked: Matrix): Found['window'] {
    const { windows, rows } = this.windowsOf(id);
    const cosines = rows.map((row) => row.reduce((sum, value, i) => sum + value * asked.data[i], 0));
    const [start, end] = windows[cosines.indexOf(Math.max(...cosines))];
    const text = this.searched.corpus[id];
    const [before, after] = [text.slice(0, start).slice(-AROUND), text.slice(end, end + AROUND)];
    return [
      start > AROUND ? before.replace(/^\S*\s+/, '… ') : before,
      text.slice(start, end),
      end + AROUND < text.length ? after.replace(/\s+\S*$/, ' …') : after,
    ];
  }
}
