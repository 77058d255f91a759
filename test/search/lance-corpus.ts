// A corpus of made-up documents, and a stand-in for a model that gives each of them windows.
import type { Embedder } from 'finetune-embedding/dist/common/matrix.js';
import { seededRandom } from 'finetune-embedding/dist/common/random.js';

export const DIMENSIONS = 64;

export const corpus = Array.from({ length: 200 }, (_, i): [string, string] => [
  `it's \\"${i}"`,
  `Text ${i} of the corpus`,
]);

/** Of a text, 1 to 9 windows near to each other, not of length 1. */
export function vectorsOf(text: string, count?: number): Float32Array[] {
  const random = seededRandom(text);
  const point = () => Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const own = point();
  return Array.from({ length: count ?? 1 + Math.floor(random() * 9) }, () =>
    Float32Array.from(point(), (value, i) => 2 * (value + own[i])),
  );
}

/** `embedded` has all texts that were embedded. */
export function embedderOf(wait?: () => Promise<void>): Pick<Embedder, 'embedDocuments'> & { embedded: string[] } {
  const embedded: string[] = [];
  return {
    embedded,
    async embedDocuments(texts) {
      await wait?.();
      embedded.push(...texts);
      const windows = texts.map((text) => vectorsOf(text));
      const rows = windows.flat();
      return {
        vectors: { data: Float32Array.from(rows.flatMap((row) => [...row])), rows: rows.length, columns: DIMENSIONS },
        owners: Int32Array.from(windows.flatMap((own, owner) => own.map(() => owner))),
      };
    },
  };
}
