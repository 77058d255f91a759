// In: chunks and the vectors of their windows, by model. Out: for a question, the best chunks and their ranks by each
// retriever, as `evaluate` ranks. Runs in Node and, without TensorFlow, in the reader's page.
import { type Matrix, rowLengths, rowOf } from '../../common/matrix';
import { BM25_WINDOWS, Bm25Index } from '../../evaluate/bm25-index';
import { bestDocuments } from '../../evaluate/rankings';
import { nearestVector, vectorScores } from '../../evaluate/vector-scores';

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

/**
 * What searches for a question, and for a text's neighbours.
 * @param vectors by model, `[windows of all texts, dimensions]` of length 1
 */
export function createSearcher({ corpus, windows, windowTemperature }: Searched, vectors: Record<string, Matrix>) {
  const ids = Object.keys(corpus);
  const keywordIndex = new Bm25Index(corpus, { windows: BM25_WINDOWS });
  /** For each window, its text. */
  const owners = Int32Array.from(windows.flatMap((own, owner) => own.map(() => owner)));

  const documents = Object.fromEntries(
    Object.entries(vectors).map(([model, own]) => [model, { vectors: own, owners, lengths: rowLengths(own) }]),
  );
  const rank = (asked: Matrix, model: string) => {
    const [scores] = vectorScores(asked, documents[model], ids.length, { temperature: windowTemperature });
    return bestDocuments(ids, scores, ALL);
  };

  function bestWindow(id: string, asked: Matrix, model: string): Found['window'] {
    const [text, at] = [corpus[id], ids.indexOf(id)];
    const [start, end] = windows[at][nearestVector(asked, documents[model], at)];
    const [before, after] = [text.slice(0, start).slice(-AROUND), text.slice(end, end + AROUND)];
    return [
      start > AROUND ? before.replace(/^(?:\S{0,20}\s+)?/, '… ') : before,
      text.slice(start, end),
      end + AROUND < text.length ? after.replace(/(?:\s+\S{0,20})?$/, ' …') : after,
    ];
  }

  return {
    /**
     * The first texts of each retriever, in the last model's order.
     * @param asked the question's vector by model, `[1, dimensions]`
     */
    search(question: string, asked: Record<string, Matrix>): Found[] {
      const models = Object.keys(vectors).map((name) => ({ name, ranking: rank(asked[name], name) }));
      const keywords = { name: 'BM25', ranking: keywordIndex.rank([question], ALL)[0] };
      const retrievers = [...models, keywords].map(({ name, ranking }) => ({
        name,
        places: new Map(ranking.map(({ id }, place) => [id, place + 1])),
      }));
      const { name: last, ranking } = models[models.length - 1];
      const shown = ranking.filter(({ id }) => retrievers.some(({ places }) => (places.get(id) ?? ALL) <= FIRST));
      return shown.map(({ id }) => ({
        id,
        ranks: Object.fromEntries(retrievers.map(({ name, places }) => [name, places.get(id) ?? null])),
        window: bestWindow(id, asked[last], last),
      }));
    },

    /** The texts that the last model finds for a text: for the sum of its windows' vectors. */
    neighbours(id: string): { text: string; score: number }[] {
      const model = Object.keys(vectors).slice(-1)[0];
      const { columns } = vectors[model];
      const sum = new Float32Array(columns);
      owners.forEach((owner, row) => {
        if (ids[owner] === id) for (let i = 0; i < columns; i++) sum[i] += rowOf(vectors[model], row)[i];
      });
      const nearest = rank({ data: sum, rows: 1, columns }, model)
        .filter((other) => other.id !== id)
        .slice(0, FIRST);
      return nearest.map((other) => ({ text: corpus[other.id], score: other.score }));
    },
  };
}
