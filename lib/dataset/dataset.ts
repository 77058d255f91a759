// In: chunks and their questions. Out: a dataset, what the later stages train and evaluate on: with the same ids in
// every run, and with nothing in common between training and validation.
import { questionId } from '../common/ids';

/** Questions, chunks and the pairing between them, as in LlamaIndex's EmbeddingQAFinetuneDataset. */
export interface EmbeddingDataset {
  /** Question id → question. */
  queries: Record<string, string>;
  /** Chunk id → text. */
  corpus: Record<string, string>;
  /** Question id → ids of the chunks that answer it; at least one. */
  relevantDocs: Record<string, string[]>;
  /** Question id → ids of chunks that look like answers and aren't (`negatives` in the file), for some questions. */
  hardNegatives?: Record<string, string[]>;
  /** Other keys of the file, kept as they were read and written back. */
  extra?: Record<string, unknown>;
}

/** Chunks by id, the way the dataset keeps them. */
export function corpusOf(chunks: { id: string; text: string }[]): Record<string, string> {
  const corpus: Record<string, string> = {};
  for (const { id, text } of chunks) {
    if (Object.hasOwn(corpus, id)) throw new Error(`Two chunks have the id ${id}; ids must be unique in a corpus.`);
    corpus[id] = text;
  }
  return corpus;
}

/**
 * A dataset in which every question's relevant chunk is the one it was asked about. The whole corpus is in it, chunks
 * without questions too: they are what retrieval must tell apart.
 * @param questions Chunk id → questions, as a question generator returns them.
 * @param styles Chunk id → how its questions are asked, where known; kept as `styles`, question id → style, which
 *   readers that don't know it pass over.
 * @throws Error if a question belongs to no chunk.
 */
export function buildDataset(
  chunks: { id: string; text: string }[],
  questions: ReadonlyMap<string, string[]>,
  styles?: ReadonlyMap<string, string>,
): EmbeddingDataset {
  const dataset: EmbeddingDataset = { queries: {}, corpus: corpusOf(chunks), relevantDocs: {} };
  const styleOf: Record<string, string> = {};
  for (const id of questions.keys())
    if (!Object.hasOwn(dataset.corpus, id))
      throw new Error(`There are questions about chunk ${id}, which is not in the corpus.`);
  for (const { id } of chunks) {
    for (const question of questions.get(id) ?? []) {
      const queryId = questionId(id, question);
      dataset.queries[queryId] = question;
      dataset.relevantDocs[queryId] = [id];
      const style = styles?.get(id);
      if (style) styleOf[queryId] = style;
    }
  }
  return Object.keys(styleOf).length > 0 ? { ...dataset, extra: { styles: styleOf } } : dataset;
}

/**
 * Refuses two sets that share chunks, such as those to train and to validate on: the model would be tested on what it
 * was shown, and the evaluation would look better than it is.
 * @param names what the sets are for, to be named in the error
 * @throws Error if a chunk of one has the id or the text of a chunk of the other; it names up to three.
 */
export function assertDisjoint(
  train: EmbeddingDataset,
  val: EmbeddingDataset,
  names: [string, string] = ['training', 'validation'],
): void {
  const trainTexts = new Set(Object.values(train.corpus).map(normalised));
  const shared = Object.keys(val.corpus).filter(
    (id) => Object.hasOwn(train.corpus, id) || trainTexts.has(normalised(val.corpus[id])),
  );
  if (shared.length === 0) return;
  const [first, second] = names;
  const named = shared.slice(0, 3).join(', ') + (shared.length > 3 ? ', …' : '');
  throw new Error(
    `The ${first} and the ${second} set share ${shared.length} of ${Object.keys(val.corpus).length} ${second} chunks ` +
      `(${named}). An evaluation on them would mean nothing: make the two from different documents.`,
  );
}

function normalised(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
