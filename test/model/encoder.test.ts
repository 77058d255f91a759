// Embeddings against sentence-transformers, and the packed batch against texts on their own.
import { type EmbeddingModel, loadModel, tf } from 'finetune-embedding';
import { packSequences } from 'finetune-embedding/dist/model/bert/packing.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  embeddedTexts,
  loadTiny,
  minilmReference,
  minilmTexts,
  relativeError,
  scaleQueriesAndKeys,
  texts,
  tinyReference,
} from '../fixtures/engine';

/** Sequences of the tiny vocabulary, of the lengths asked. */
const sequences = (lengths: number[]): Int32Array[] =>
  lengths.map((length, s) => Int32Array.from({ length }, (_, i) => (i === 0 ? 2 : 5 + ((i * 7 + s * 13) % 100))));

async function embedOneByOne(model: EmbeddingModel, all: Int32Array[]): Promise<number[]> {
  const rows: number[] = [];
  for (const sequence of all) rows.push(...(await model.embedTokens([sequence])).data);
  return rows;
}

describe('embeddings', () => {
  it.each([
    ['mean', false, 'mean'],
    ['mean', true, 'meanNormalized'],
    ['cls', false, 'cls'],
    ['cls', true, 'clsNormalized'],
  ] as const)('tiny model, %s pooling, normalised %s: as sentence-transformers', async (mode, normalize, reference) => {
    const model = await loadTiny(mode, normalize);
    const { data, rows, columns } = await model.embedQueries(embeddedTexts);
    expect([rows, columns]).toEqual([embeddedTexts.length, 32]);
    expect(relativeError(data, tinyReference.embeddings[reference])).toBeLessThan(1e-5);
  });

  it('all-MiniLM-L6-v2: as sentence-transformers, a cut text included', async () => {
    const model = await loadModel('all-MiniLM-L6-v2', { maxSeqLength: 512 });
    onTestFinished(() => model.dispose());
    const { vectors, owners } = await model.embedDocuments(minilmTexts.slice(1, 4));
    expect([...owners]).toEqual([0, 1, 2]);
    expect(relativeError(vectors.data, minilmReference.embeddings)).toBeLessThan(1e-5);
  });

  it('an empty list gives an empty matrix', async () => {
    expect(await (await loadTiny()).embedQueries([])).toMatchObject({ rows: 0, columns: 32 });
  });

  it('frees every tensor, and keeps none of the vocabulary', async () => {
    const before = tf.memory().numBytes;
    const model = await loadTiny();
    expect(tf.memory().numBytes - before).toBe(4 * (model.parameterCount - 120 * 32));
    await model.embedQueries(embeddedTexts);
    const { numTensors, numBytes } = tf.memory();
    await model.embedQueries(embeddedTexts);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
  });
});

describe('a packed batch', () => {
  it.each([
    [[5, 5, 5]],
    [[64, 63, 62, 30, 3, 2]],
    [[2, 64, 2, 40, 1]],
    [Array.from({ length: 200 }, (_, i) => 1 + ((i * 37) % 64))],
  ])('of ragged lengths gives what each text gives on its own: %j', async (lengths) => {
    const model = await loadTiny('mean', false);
    const all = sequences(lengths);
    const packed = await model.embedTokens(all);
    expect(relativeError(packed.data, await embedOneByOne(model, all))).toBeLessThan(1e-6);
  });

  it('holds every token once, and groups only neighbours', () => {
    const lengths = [9, 300, 290, 2, 64, 300, 1, 120];
    const batch = packSequences(sequences(lengths));
    expect(batch.tokens).toBe(lengths.reduce((a, b) => a + b));
    expect([...batch.lengths]).toEqual(lengths);
    sequences(lengths).forEach((ids, s) => {
      const own = batch.tokenIds.subarray(batch.starts[s], batch.starts[s] + lengths[s]);
      expect([...own]).toEqual([...ids]);
      expect([...batch.positionIds.subarray(batch.starts[s], batch.starts[s] + lengths[s])]).toEqual([...ids.keys()]);
    });
    let row = 0;
    for (const group of batch.groups) {
      expect(group.start).toBe(row);
      expect(group.lengths.reduce((a, b) => a + b)).toBe(group.rows);
      expect(Math.max(...group.lengths)).toBe(group.length);
      row += group.rows;
    }
    expect(row).toBe(batch.tokens);
  });

  it('is right where exp(scores) would overflow: as sentence-transformers', async () => {
    const model = await loadTiny('mean', false);
    scaleQueriesAndKeys(model, texts.hugeFactor);
    const { data } = await model.embedQueries(embeddedTexts);
    // Scores of several hundred carry rounding errors of 1e-5 into the exponent.
    expect(relativeError(data, tinyReference.huge)).toBeLessThan(1e-3);
    expect(relativeError(data, tinyReference.embeddings.mean)).toBeGreaterThan(0.1); // it is another computation
  });

  it.each([20, 60])('is right where padding has the largest score, query and key weights × %i', async (factor) => {
    const model = await loadTiny('mean', false);
    scaleQueriesAndKeys(model, factor);
    const all = sequences([64, 64, 50, 20, 7, 3, 2, 1]);
    const packed = await model.embedTokens(all);
    expect(relativeError(packed.data, await embedOneByOne(model, all))).toBeLessThan(1e-5);
  });
});
