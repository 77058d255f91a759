import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readGoldenQuestions, readGoldenQuestionsBeside } from 'finetune-embedding/dist/dataset/golden.js';
import { assertDisjoint, buildDataset, buildGoldenDataset } from 'finetune-embedding/dist/dataset/index.js';
import { describe, expect, it } from 'vitest';

const CHUNKS = [
  { id: 'a', text: 'The ferry “Marlin” carries 240 passen-\ngers.' },
  { id: 'b', text: 'It was built in 1987. The ferry Marlin carries 240 passengers.' },
  { id: 'c', text: 'Tugs are green.' },
];
const QUESTIONS = new Map([
  ['a', ['How many passengers does the Marlin carry?', 'What is the Marlin?']],
  ['b', ['When was the Marlin built?']],
  ['c', []],
]);

describe('buildDataset', () => {
  const dataset = buildDataset(CHUNKS, QUESTIONS);

  it('pairs every question with its chunk and keeps chunks without questions', () => {
    expect(Object.values(dataset.queries)).toEqual([...QUESTIONS.values()].flat());
    expect(Object.values(dataset.relevantDocs)).toEqual([['a'], ['a'], ['b']]);
    expect(Object.keys(dataset.relevantDocs)).toEqual(Object.keys(dataset.queries));
    expect(Object.keys(dataset.corpus)).toEqual(['a', 'b', 'c']);
  });

  it('keeps styles by question, where they are known, as a key that others pass over', () => {
    const styled = buildDataset(CHUNKS, QUESTIONS, new Map([['b', 'keywords']]));
    const [, , built] = Object.keys(dataset.queries);
    expect(styled).toEqual({ ...dataset, extra: { styles: { [built]: 'keywords' } } });
  });

  it('gives UUIDs that are the same in every run and differ by chunk', () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(Object.keys(dataset.queries)).toEqual(expect.arrayContaining([expect.stringMatching(uuid)]));
    expect(buildDataset(CHUNKS, QUESTIONS)).toEqual(dataset);
    const same = buildDataset(
      CHUNKS,
      new Map([
        ['a', ['Why?']],
        ['b', ['Why?']],
      ]),
    );
    expect(Object.keys(same.queries)).toHaveLength(2);
  });

  it('refuses questions about no chunk and chunks of the same id', () => {
    expect(() => buildDataset(CHUNKS, new Map([['x', ['Why?']]]))).toThrow(/chunk x, which is not in the corpus/);
    expect(() => buildDataset([CHUNKS[0], CHUNKS[0]], new Map())).toThrow(/Two chunks have the id a/);
  });
});

const golden = (question: string, evidence: string) => ({ question, evidence, type: 'fact', section: 'Fleet' });

describe('golden questions', () => {
  it('makes every chunk relevant that holds the evidence, whatever spaces, hyphens and quotes are like', () => {
    const asked = golden('How many people fit on the Marlin?', 'ferry Marlin carries 240 passengers');
    const lost = golden('What colour are the buoys?', 'Buoys are red');
    const { dataset, unmatched } = buildGoldenDataset(CHUNKS, [asked, lost]);
    expect(Object.values(dataset.relevantDocs)).toEqual([['a', 'b']]);
    expect(Object.values(dataset.queries)).toEqual([asked.question]);
    expect(unmatched).toEqual([lost]);
    const rechunked = buildGoldenDataset([CHUNKS[1]], [asked]).dataset;
    expect(Object.keys(rechunked.queries)).toEqual(Object.keys(dataset.queries));
  });

  it('may have their evidence in several places: each chunk that holds one of them is relevant', () => {
    const both = ['built in 1987', 'Tugs are green'];
    const asked = { ...golden('How old is the Marlin, and what colour are tugs?', ''), evidence: both };
    const { dataset, unmatched } = buildGoldenDataset(CHUNKS, [asked]);
    expect(Object.values(dataset.relevantDocs)).toEqual([['b', 'c']]);
    expect(unmatched).toEqual([]);
    // One place, in a list or not, is the same question.
    const one = golden('Why?', 'built in 1987');
    const listed = { ...one, evidence: ['built in 1987'] };
    expect(buildGoldenDataset(CHUNKS, [listed])).toEqual(buildGoldenDataset(CHUNKS, [one]));
  });

  it('are unmatched if one of the places is in no chunk', () => {
    const asked = { ...golden('Which colours are there?', ''), evidence: ['Tugs are green', 'Buoys are red'] };
    const { dataset, unmatched } = buildGoldenDataset(CHUNKS, [asked]);
    expect(dataset.queries).toEqual({});
    expect(unmatched).toEqual([asked]);
  });

  it('are read from a file and checked', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'golden-'));
    const file = path.join(dir, 'x.questions.json');
    try {
      await writeFile(file, JSON.stringify([golden('Why?', 'Because.')]));
      expect(await readGoldenQuestions(file)).toEqual([golden('Why?', 'Because.')]);
      await writeFile(file, JSON.stringify([golden('Why?', 'Because.'), { question: 'Who?', evidence: 7 }]));
      await expect(readGoldenQuestions(file)).rejects.toThrow(/x\.questions\.json: entry 1 \("Who\?"\): evidence must/);
      await writeFile(file, JSON.stringify([golden('Why?', '—!')]));
      await expect(readGoldenQuestions(file)).rejects.toThrow(/evidence has no letters or digits/);
      const listed = { ...golden('Why?', ''), evidence: ['Because.', 'So.'], style: 'two places' };
      await writeFile(file, JSON.stringify([listed]));
      expect(await readGoldenQuestions(file)).toEqual([listed]);
      for (const evidence of [[], ['Because.', '—!'], ['Because.', 7]]) {
        await writeFile(file, JSON.stringify([{ ...listed, evidence }]));
        await expect(readGoldenQuestions(file)).rejects.toThrow(/entry 0 \("Why\?"\): evidence (must|has)/);
      }
      await writeFile(file, JSON.stringify([{ ...listed, style: 'haiku' }]));
      await expect(readGoldenQuestions(file)).rejects.toThrow(/entry 0 \("Why\?"\): style must be one of question, /);
      await writeFile(file, '{}');
      await expect(readGoldenQuestions(file)).rejects.toThrow(/a list of golden questions is needed/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('readGoldenQuestionsBeside', () => {
  it('finds them beside files, in folders and by globs, each once, the document missing or not', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'beside-'));
    try {
      await mkdir(path.join(dir, 'sub'));
      for (const [i, name] of ['tides', 'sub/locks'].entries()) {
        await writeFile(path.join(dir, `${name}.questions.json`), JSON.stringify([golden(`Why ${i}?`, 'Because.')]));
        await writeFile(path.join(dir, `${name}.md`), 'Because.');
        await writeFile(path.join(dir, `${name}.txt`), 'Because.');
      }
      const asked = async (...patterns: string[]) =>
        (await readGoldenQuestionsBeside(patterns.map((one) => path.join(dir, one)))).map(({ question }) => question);
      expect(await asked('tides.pdf')).toEqual(['Why 0?']);
      expect(await asked('*.md')).toEqual(['Why 0?']);
      expect((await asked('.')).sort()).toEqual(['Why 0?', 'Why 1?']);
      expect((await asked('**/*.txt', 'tides.md', 'sub')).sort()).toEqual(['Why 0?', 'Why 1?']);
      expect(await asked('none/*.md')).toEqual([]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('assertDisjoint', () => {
  const train = buildDataset(CHUNKS.slice(0, 2), new Map());

  it('lets different corpora pass', () => {
    expect(() => assertDisjoint(train, buildDataset([CHUNKS[2]], new Map()))).not.toThrow();
  });

  it('refuses a chunk of the same id or of the same text', () => {
    const sameId = buildDataset([{ id: 'a', text: 'Other text.' }, CHUNKS[2]], new Map());
    expect(() => assertDisjoint(train, sameId)).toThrow(/share 1 of 2 validation chunks \(a\)/);
    const sameText = buildDataset([{ id: 'z', text: `${CHUNKS[1].text.replace(' ', '\n')} ` }], new Map());
    expect(() => assertDisjoint(train, sameText)).toThrow(/share 1 of 1 validation chunks \(z\)/);
  });
});
