// The linear adapter: trains on a toy whose answer is known, round-trips through its folder, and wraps any embedder.
import fs from 'node:fs';
import path from 'node:path';
import { type Embedder, type Embeddings, tf } from 'finetune-embedding';
import { seededRandom } from 'finetune-embedding/dist/common/random.js';
import { readSafetensors, writeSafetensors } from 'finetune-embedding/dist/model/safetensors.js';
import {
  AdaptedEmbedder,
  type AdapterOptions,
  loadAdapter,
  saveAdapter,
  trainAdapter,
} from 'finetune-embedding/extras';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadTiny, pairsAsData, temporaryFolder, texts } from '../fixtures/engine';

const SIZE = 8;
const COUNT = 24;
const NEGATED = 2;

/** A random unit vector for each number. */
function unitVector(seed: number): number[] {
  const random = seededRandom(seed);
  const vector = Array.from({ length: SIZE }, () => random() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/**
 * Question "i" is chunk "i"'s vector with its first numbers negated, so that a diagonal adapter answers all. Every chunk has two windows: first a
 * vector of noise, then the one that was asked about.
 */
const toy: Embedder = {
  name: 'toy',
  embedQueries: async (questions) => {
    const rows = questions.map((text) => unitVector(Number(text)).map((value, i) => (i < NEGATED ? -value : value)));
    return { data: Float32Array.from(rows.flat()), rows: rows.length, columns: SIZE };
  },
  embedDocuments: async (chunks) => {
    const rows = chunks.flatMap((text) => [
      unitVector(Number(text) + 1000).map((value) => 0.1 * value),
      unitVector(Number(text)),
    ]);
    return {
      vectors: { data: Float32Array.from(rows.flat()), rows: rows.length, columns: SIZE },
      owners: Int32Array.from(rows, (_, row) => row >> 1),
    };
  },
};

const ids = Array.from({ length: COUNT }, (_, i) => String(i));
const data = {
  queries: Object.fromEntries(ids.map((id) => [`q${id}`, id])),
  corpus: Object.fromEntries(ids.map((id) => [`c${id}`, id])),
  relevantDocs: Object.fromEntries(ids.map((id) => [`q${id}`, [`c${id}`]])),
};
const recipe = {
  batching: 'distinct-chunks',
  batchSize: 12,
  epochs: 30,
  learningRate: 0.05,
  warmupRatio: 0.1,
} as const;
const options: AdapterOptions = { data, recipe, seed: 1 };

/** Share of questions whose nearest vector, by cosine, is one of their own chunk. */
async function accuracy(embedder: Embedder): Promise<number> {
  const queries = await embedder.embedQueries(ids);
  const { vectors, owners } = await embedder.embedDocuments(ids);
  const row = ({ data }: Embeddings['vectors'], i: number) => [...data.subarray(i * SIZE, (i + 1) * SIZE)];
  const hits = ids.filter((_, i) => {
    const cosines = Array.from(owners, (_, j) => {
      const chunk = row(vectors, j);
      return row(queries, i).reduce((sum, value, k) => sum + value * chunk[k], 0) / Math.hypot(...chunk);
    });
    return owners[cosines.indexOf(Math.max(...cosines))] === i;
  });
  return hits.length / COUNT;
}

describe('trainAdapter', () => {
  it('learns to turn question vectors towards their chunks', async () => {
    const { embedder, steps, best } = await trainAdapter(toy, { ...options, evaluate: accuracy });
    expect(steps).toHaveLength(60);
    expect(steps[59].loss).toBeLessThan(0.2 * steps[0].loss);
    expect(await accuracy(toy)).toBeLessThan(0.3);
    expect(best!.score).toBeGreaterThan(0.9);
    expect(await accuracy(embedder)).toBe(best!.score);
  });

  it('starts at the identity, and keeps it where training does not help', async () => {
    let calls = 0;
    const result = await trainAdapter(toy, {
      ...options,
      recipe: { ...recipe, epochs: 2 },
      evaluate: async () => -calls++,
    });
    expect(result.evaluations.map(({ isBest }) => isBest)).toEqual([true, false, false]);
    expect(result.best!.step).toBe(0);
    expect((await result.embedder.embedQueries(['3'])).data).toEqual((await toy.embedQueries(['3'])).data);
  });

  it('never keeps one whose score is not a number, but the last where there is no other, and says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const short = { ...options, recipe: { ...recipe, epochs: 2 } };
    let calls = 0;
    const some = await trainAdapter(toy, { ...short, evaluate: async () => [0.5, Number.NaN, 0.4][calls++] });
    expect(some.evaluations.map(({ isBest }) => isBest)).toEqual([true, false, false]);
    expect(some.embedder.weight.data[0]).toBe(1);
    expect(warn).not.toHaveBeenCalled();
    const none = await trainAdapter(toy, { ...short, evaluate: async () => Number.NaN });
    expect(none.best).toBeUndefined();
    expect(none.embedder.weight.data[0]).not.toBe(1);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('None of the 3 evaluations gave a number'));
  });

  it('leaves the corpus’s vectors as they are', async () => {
    const { embedder } = await trainAdapter(toy, { ...options, recipe: { ...recipe, epochs: 1 } });
    expect(await embedder.embedDocuments(['5'])).toEqual(await toy.embedDocuments(['5']));
  });

  it('gives the same bytes for one seed, and no tensors stay behind', async () => {
    const before = tf.memory().numTensors;
    const runs = [await trainAdapter(toy, options), await trainAdapter(toy, options)];
    expect(tf.memory().numTensors).toBe(before);
    expect(runs[0].embedder.weight).toEqual(runs[1].embedder.weight);
    expect((await trainAdapter(toy, { ...options, seed: 2 })).embedder.weight).not.toEqual(runs[0].embedder.weight);
  });

  it('stops when told to, and keeps what it has', async () => {
    const controller = new AbortController();
    const result = await trainAdapter(toy, {
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => step === 5 && controller.abort(),
    });
    expect(result.stopped).toBe(true);
    expect(result.steps).toHaveLength(5);
    expect(result.embedder.weight.data[0]).not.toBe(1);
  });

  it('refuses data with nothing to compare, and a loss that is not finite', async () => {
    await expect(trainAdapter(toy, { ...options, data: pairsAsData([['1', '1']]) })).rejects.toThrow(
      'fewer than 2 chunks',
    );
    const broken: Embedder = {
      ...toy,
      embedQueries: async (questions) => {
        const vectors = await toy.embedQueries(questions);
        vectors.data.fill(Number.NaN);
        return vectors;
      },
    };
    await expect(trainAdapter(broken, options)).rejects.toThrow(/The loss is NaN.* at step 1/);
  });

  it('works on a loaded model', async () => {
    const model = await loadTiny();
    const pairs = pairsAsData(texts.tinyPairs);
    const small = { ...recipe, batchSize: 4, epochs: 8, learningRate: 0.02 };
    const { steps, embedder } = await trainAdapter(model, { data: pairs, recipe: small, seed: 1 });
    const perEpoch = steps.length / 8;
    const mean = (part: typeof steps) => part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    expect(mean(steps.slice(-perEpoch))).toBeLessThan(0.7 * mean(steps.slice(0, perEpoch)));
    expect((await embedder.embedQueries(['a ferry'])).columns).toBe(32);
  });
});

describe('saved adapters', () => {
  const weight = { data: Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i)), rows: SIZE, columns: SIZE };

  it('come back as they were, under LlamaIndex’s names', async () => {
    const folder = path.join(temporaryFolder(), 'adapter');
    await saveAdapter(new AdaptedEmbedder(toy, weight), folder);
    expect(fs.readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors']);
    expect(JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8'))).toEqual({
      in_features: SIZE,
      out_features: SIZE,
      bias: false,
      base_model: 'toy',
    });
    expect([...readSafetensors(path.join(folder, 'model.safetensors')).keys()]).toEqual(['linear.weight']);
    const loaded = await loadAdapter(toy, folder);
    expect(loaded.name).toBe('toy with adapter');
    expect(loaded.weight).toEqual(weight);
  });

  it('apply W·q', async () => {
    const embedder = new AdaptedEmbedder(toy, weight);
    const question = unitVector(7).map((value, i) => (i < NEGATED ? -value : value));
    const expected = ids
      .slice(0, SIZE)
      .map((_, row) => question.reduce((sum, value, i) => sum + value * Math.sin(row * SIZE + i), 0));
    const { data: own } = await embedder.embedQueries(['7']);
    expected.forEach((value, i) => {
      expect(own[i]).toBeCloseTo(value, 5);
    });
  });

  it('are refused where they do not fit', async () => {
    const folder = temporaryFolder();
    await expect(loadAdapter(toy, folder)).rejects.toThrow('there is no such file');
    await saveAdapter(new AdaptedEmbedder(toy, weight), folder);
    const model = await loadTiny();
    const wrong = await loadAdapter(model, folder);
    await expect(wrong.embedQueries(['a ferry'])).rejects.toThrow('takes vectors of 8 numbers');
    const half = { shape: [SIZE / 2, SIZE], data: weight.data.slice(0, (SIZE * SIZE) / 2) };
    writeSafetensors(path.join(folder, 'model.safetensors'), new Map([['linear.weight', half]]));
    await expect(loadAdapter(toy, folder)).rejects.toThrow('is [4,8]');
  });
});
