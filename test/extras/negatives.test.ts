// What counts as a negative: hard negatives added, false ones masked.
import { type Embedder, makeBatches } from 'finetune-embedding';
import { type FalseNegativeMargin, guided } from 'finetune-embedding/dist/extras/false-negatives.js';
import { addHardNegatives } from 'finetune-embedding/dist/extras/hard-negatives.js';
import { PLAIN } from 'finetune-embedding/dist/train/learner.js';
import { describe, expect, it } from 'vitest';

const DATA = {
  queries: { q1: 'What is lost?', q2: 'Who sails?', q3: ' What  is lost?', q4: 'Where to?' },
  corpus: { a: 'The ferry  is lost.', b: 'Ann sails.', c: 'The ferry is lost.\n', d: 'To the port.', e: 'Bob waits.' },
  relevantDocs: { q1: ['a'], q2: ['b', 'd'], q3: ['e'], q4: ['d'] },
};

/** One batch with a column for each question's first chunk: a, b, e, d. */
const pairs = () => makeBatches(DATA, 'file-order', 4, 0, 0)[0];

describe('addHardNegatives', () => {
  it('gives each a column, once, and none to a chunk that has one', () => {
    const batch = pairs();
    const added = addHardNegatives(batch, { q1: ['b', 'c'], q2: ['c'] }, DATA);
    expect(added.chunkIds).toEqual(['a', 'b', 'e', 'd', 'c']);
    expect([...added.columnChunks]).toEqual([0, 1, 2, 3, 4]);
    expect(added.columns).toBe(5);
    expect(added.targets).toEqual(batch.targets);
    expect(added.knownPositives).toEqual([]);
    expect(batch.chunkIds).toHaveLength(4);
  });

  it('is no negative of a question that it answers', () => {
    const [first] = makeBatches(DATA, 'file-order', 2, 0, 0); // q1, q2 on a, b
    expect(addHardNegatives(first, { q1: ['d', 'e'] }, DATA).knownPositives).toEqual([[1, 2]]); // d answers q2
  });

  it('refuses a negative that is unknown or right', () => {
    expect(() => addHardNegatives(pairs(), { q1: ['z'] }, DATA)).toThrow('"z" of question "q1" is not in the corpus');
    expect(() => addHardNegatives(pairs(), { q2: ['d'] }, DATA)).toThrow('"d" is both relevant to question "q2"');
  });
});

describe('guided', () => {
  /** Directions in degrees; e has two windows. */
  const angles: Record<string, number[]> = {
    'What is lost?': [0],
    'Who sails?': [90],
    ' What  is lost?': [180],
    'Where to?': [270],
    [DATA.corpus.a]: [30],
    [DATA.corpus.b]: [90],
    [DATA.corpus.c]: [45],
    [DATA.corpus.d]: [300],
    [DATA.corpus.e]: [200, 20],
  };
  const vectorsOf = (texts: string[]) => {
    const degrees = texts.flatMap((text) => angles[text]);
    const data = Float32Array.from(
      degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]),
    );
    return { data, rows: degrees.length, columns: 2 };
  };
  const guide: Embedder = {
    name: 'guide',
    embedQueries: async (texts) => vectorsOf(texts),
    embedDocuments: async (texts) => ({
      vectors: vectorsOf(texts),
      owners: Int32Array.from(texts.flatMap((text, i) => angles[text].map(() => i))),
    }),
  };
  const filterBy = async (margin: FalseNegativeMargin) => (await guided(guide, DATA, margin))(PLAIN).prepareBatch;
  const maskedBy = async (margin: number, strategy: 'absolute' | 'relative') =>
    (await filterBy({ margin, strategy }))(pairs()).knownPositives;

  it('masks what the guide finds nearer than the positive, by a chunk’s nearest window', async () => {
    // q1 at 0°: a at 30°; e's second window at 20° is nearer.
    expect(await maskedBy(0, 'absolute')).toEqual([[0, 2]]);
  });

  it('masks within the margin', async () => {
    // cos 30° = 0.866 of a for q1; d at 60° has 0.5. q4 at 270°: d at 30° has 0.866, e at 70° 0.342. q2: b 1, a at 60° 0.5.
    expect(await maskedBy(0.4, 'absolute')).toEqual([
      [0, 2],
      [0, 3],
    ]);
    expect(await maskedBy(0.45, 'relative')).toEqual([
      [0, 2],
      [0, 3],
    ]);
    expect(await maskedBy(0.4, 'relative')).toEqual([[0, 2]]); // 0.866 · 0.6 = 0.52
    expect(await maskedBy(0.51, 'absolute')).toContainEqual([1, 0]);
  });

  it('keeps what was masked before', async () => {
    const filter = await filterBy({ margin: 0, strategy: 'absolute' });
    expect(filter({ ...pairs(), knownPositives: [[3, 1]] }).knownPositives).toEqual([
      [3, 1],
      [0, 2],
    ]);
  });
});
