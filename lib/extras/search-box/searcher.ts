// In: chunks and the vectors of their windows, by model. Out: for a question, the best chunks and their ranks by each
// retriever, as `evaluate` ranks. Runs in Node and, without TensorFlow, in the reader's page.
import { type Matrix, normalizedRows, rowOf } from '../../common/matrix';
import { BM25_WINDOWS, Bm25Index } from '../../evaluate/bm25-index';
import { documentScores } from '../../evaluate/document-scores';
import { bestDocuments } from '../../evaluate/rankings';

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
  /** For each window, its text. */
  private readonly owners: Int32Array;

  /** @param vectors by model, `[windows of all texts, dimensions]` of length 1 */
  constructor(
    private readonly searched: Searched,
    private readonly vectors: Record<string, Matrix>,
  ) {
    this.ids = Object.keys(searched.corpus);
    this.keywords = new Bm25Index(searched.corpus, { windows: BM25_WINDOWS });
    this.owners = Int32Array.from(searched.windows.flatMap((own, owner) => own.map(() => owner)));
  }

  /**
   * The first texts of each retriever, in the last model's order.
   * @param asked the question's vector by model, `[1, dimensions]`
   */
  search(question: string, asked: Record<string, Matrix>): Found[] {
    const models = Object.keys(this.vectors).map((name) => ({ name, ...this.rank(asked[name], name) }));
    const keywords = { name: 'BM25', ranking: this.keywords.rank([question], ALL)[0] };
    const retrievers = [...models, keywords].map(({ name, ranking }) => ({
      name,
      places: new Map(ranking.map(({ id }, place) => [id, place + 1])),
    }));
    const { ranking, cosines } = models[models.length - 1];
    const shown = ranking.filter(({ id }) => retrievers.some(({ places }) => (places.get(id) ?? ALL) <= FIRST));
    return shown.map(({ id }) => ({
      id,
      ranks: Object.fromEntries(retrievers.map(({ name, places }) => [name, places.get(id) ?? null])),
      window: this.bestWindow(id, cosines),
    }));
  }

  /** The texts that the last model finds for a text: for the sum of its windows' vectors. */
  neighbours(id: string): { text: string; score: number }[] {
    const model = Object.keys(this.vectors).slice(-1)[0];
    const { columns } = this.vectors[model];
    const sum = new Float32Array(columns);
    this.owners.forEach((owner, row) => {
      if (this.ids[owner] === id) for (let i = 0; i < columns; i++) sum[i] += rowOf(this.vectors[model], row)[i];
    });
    const { ranking } = this.rank({ data: sum, rows: 1, columns }, model);
    const nearest = ranking.filter((other) => other.id !== id).slice(0, FIRST);
    return nearest.map((other) => ({ text: this.searched.corpus[other.id], score: other.score }));
  }

  /** As `rankByVectors`, which needs TensorFlow. */
  private rank(asked: Matrix, model: string) {
    const { data } = normalizedRows(asked);
    const cosines = Array.from(this.owners, (_, row) =>
      rowOf(this.vectors[model], row).reduce((sum, value, i) => sum + value * data[i], 0),
    );
    const scores = documentScores(cosines, this.owners, this.ids.length, this.searched.windowTemperature);
    return { cosines, ranking: bestDocuments(this.ids, scores, ALL) };
  }

  private bestWindow(id: string, cosines: number[]): Found['window'] {
    const text = this.searched.corpus[id];
    const own = cosines.filter((_, row) => this.ids[this.owners[row]] === id);
    const [start, end] = this.searched.windows[this.ids.indexOf(id)][own.indexOf(Math.max(...own))];
    const [before, after] = [text.slice(0, start).slice(-AROUND), text.slice(end, end + AROUND)];
    return [
      start > AROUND ? before.replace(/^\S*\s+/, '… ') : before,
      text.slice(start, end),
      end + AROUND < text.length ? after.replace(/\s+\S*$/, ' …') : after,
    ];
  }
}
