import type { Embedder } from 'finetune-embedding';
import { averagedEmbedder } from 'finetune-embedding/extras';
import { describe, expect, it } from 'vitest';

/** Document "a" has the vectors (3, 4) and (1, 0), document "b" (0, 2). */
const windows: Embedder = {
  name: 'windows',
  embedQueries: async (texts) => ({ data: new Float32Array(2 * texts.length).fill(1), rows: texts.length, columns: 2 }),
  embedDocuments: async () => ({
    vectors: { data: Float32Array.from([3, 4, 0, 2, 1, 0]), rows: 3, columns: 2 },
    owners: Int32Array.from([0, 1, 0]),
  }),
};

describe('averagedEmbedder', () => {
  it('gives each document the mean of its vectors at length 1', async () => {
    const { vectors, owners } = await averagedEmbedder(windows).embedDocuments(['a', 'b']);
    expect([vectors.rows, vectors.columns, ...owners]).toEqual([2, 2, 0, 1]);
    [0.8, 0.4, 0, 1].forEach((value, i) => {
      expect(vectors.data[i]).toBeCloseTo(value, 6);
    });
  });

  it('leaves questions as they are, and is named after what it averages', async () => {
    const averaged = averagedEmbedder(windows);
    expect(await averaged.embedQueries(['q'])).toEqual(await windows.embedQueries(['q']));
    expect(averaged.name).toBe('windows, averaged');
  });
});
