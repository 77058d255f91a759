// In: a model and documents, as many as there are. Out: their vectors in an index, a batch at a time.
import type { Embedder } from '../common/matrix';
import type { LanceIndex } from './lance-index';

/** A document's id and its text. */
type Document = [id: string, text: string];

/**
 * Embeds a corpus of any size into an index, with one batch in memory. Each batch is in the index, whole, before the
 * next is embedded: after an end of any kind, the same call goes on with what the index lacks. `index.optimize()`
 * comes last.
 *
 * Several processes, on one machine or on many, may each embed a share of the documents into one index.
 *
 * @param documents `Object.entries(corpus)`, or a generator that reads them as they are asked for. A document is known
 *   by its id: where its text may change, its id must.
 * @param options `batchSize`: documents embedded and added together, which an end loses at most; `onProgress` is told
 *   how many documents were seen to
 * @throws whatever the model, the documents or the index throw
 */
export async function embedCorpus(
  model: Pick<Embedder, 'embedDocuments'>,
  documents: Iterable<Document> | AsyncIterable<Document>,
  index: LanceIndex,
  options: { batchSize?: number; onProgress?: (done: number) => void } = {},
): Promise<void> {
  const { batchSize = 256, onProgress } = options;
  let done = 0;
  let batch: Document[] = [];
  const flush = async () => {
    const present = await index.present(batch.map(([id]) => id));
    const missing = batch.filter(([id]) => !present.has(id));
    if (missing.length > 0) await index.add(missing, await model.embedDocuments(missing.map(([, text]) => text)));
    done += batch.length;
    batch = [];
    onProgress?.(done);
  };
  for await (const document of documents) {
    batch.push(document);
    if (batch.length === batchSize) await flush();
  }
  if (batch.length > 0) await flush();
}
