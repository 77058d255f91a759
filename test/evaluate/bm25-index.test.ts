import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  BM25_WINDOWS,
  Bm25Index,
  buildGoldenDataset,
  chunkPages,
  evaluateRanking,
  rankByBm25,
  readDocuments,
  readGoldenQuestionsBeside,
} from 'finetune-embedding';
import { describe, expect, it } from 'vitest';

describe('BM25', () => {
  const corpus = { x: 'red apples', y: 'green apple and green pear', z: 'blue plums' };
  const index = new Bm25Index(corpus);
  const search = (query: string, own = index) => own.rank([query])[0];

  it('scores by the formula, worked by hand', () => {
    // Lengths 2, 4, 2 (mean 8/3). "green" twice in y: idf = ln(1 + 2.5/1.5), tf part = 2 · 2.5 / (2 + 1.5 (0.25 + 0.75 · 4 / (8/3)))
    const green = Math.log(1 + 2.5 / 1.5) * (5 / (2 + 1.5 * (0.25 + 0.75 * 1.5)));
    const [first, ...others] = search('green');
    expect(first.id).toBe('y');
    expect(first.score).toBeCloseTo(green, 12);
    expect(others).toEqual([]);
    // "apple" is in x and y, once each: the shorter document wins.
    expect(search('apple').map(({ id }) => id)).toEqual(['x', 'y']);
    // A term asked twice counts twice.
    expect(search('green green')[0].score).toBeCloseTo(2 * green, 12);
  });

  it('finds nothing where no term matches, and breaks ties by id', () => {
    expect(search('zebra of the')).toEqual([]);
    expect(search('words', new Bm25Index({ b: 'same words', a: 'same words' })).map(({ id }) => id)).toEqual([
      'a',
      'b',
    ]);
    expect(search('words', new Bm25Index({}))).toEqual([]);
  });

  it('finds German by its stems, whatever stop words stand in the question', () => {
    const german = new Bm25Index({
      ships: 'Der Verein besitzt drei Schiffe. Die Reparaturen der alten Fähre sind teuer.',
      fares: 'Wie viele Fahrkarten der Verein verkauft, ist nicht bekannt, denn wer fährt, zahlt im Hafen.',
    });
    expect(search('Wie viele sind es, und wer zahlte die Reparatur des Schiffes?', german)[0].id).toBe('ships');
    expect(search('die Fähren', german).map(({ id }) => id)).toEqual(['ships']);
    expect(search('Wie und wer?', german)).toEqual([]);
  });

  it('scores by windows: the mean of their exponentials, worked by hand', () => {
    const windowed = new Bm25Index(
      { long: 'red red blue green green green', short: 'red plum' },
      { windows: { size: 2, stride: 2 } },
    );
    // Four windows of two terms, so that length changes nothing: "red red", "blue green", "green green" and "red plum".
    const idf = Math.log(1 + (4 - 2 + 0.5) / (2 + 0.5));
    const [once, twice] = [idf, (idf * 2 * 2.5) / (2 + 1.5)];
    const [first, second] = search('red', windowed);
    expect([first.id, second.id]).toEqual(['short', 'long']);
    expect(first.score).toBeCloseTo(once, 12);
    expect(second.score).toBeCloseTo(2 * Math.log((Math.exp(twice / 2) + 2) / 3), 12);
    expect(search('plum', windowed).map(({ id }) => id)).toEqual(['short']);
    expect(search('red', new Bm25Index({ empty: '', full: 'red' }, { windows: { size: 2, stride: 1 } }))).toHaveLength(
      1,
    );
    expect(() => new Bm25Index({ a: 'red' }, { windows: { size: 1, stride: 2 } })).toThrow(RangeError);
  });

  const file = resolve('../shared/data/lyft_train_dataset.json');
  it.skipIf(!existsSync(file))('is a strong baseline on an annual report', () => {
    const { queries, corpus, relevant_docs } = JSON.parse(readFileSync(file, 'utf8'));
    const data = { queries, corpus, relevantDocs: relevant_docs };
    const { hitRate, metrics } = evaluateRanking(rankByBm25(data), data);
    expect(hitRate).toBeGreaterThan(0.88);
    expect(metrics['MAP@100']).toBeGreaterThan(0.73);
    const byWindows = evaluateRanking(rankByBm25(data, { windows: BM25_WINDOWS }), data);
    expect(byWindows.hitRate).toBeGreaterThan(hitRate);
    expect(byWindows.metrics['MAP@100']).toBeGreaterThan(metrics['MAP@100']);
  });
  if (!existsSync(file))
    console.log(`Skipped BM25 on the original's report: ${file} is not there; the sample's stands in.`);

  it('finds most of what is asked about a report of the sample, and more of it by windows', async () => {
    const report = 'data/larkmoor_2024.pdf';
    const data = buildGoldenDataset(
      await chunkPages((await readDocuments([report])).pages),
      await readGoldenQuestionsBeside([report]),
    ).dataset;
    const whole = evaluateRanking(rankByBm25(data), data);
    const byWindows = evaluateRanking(rankByBm25(data, { windows: BM25_WINDOWS }), data);
    expect(whole.hitRate).toBeGreaterThan(0.55);
    expect(byWindows.hitRate).toBeGreaterThan(whole.hitRate);
    expect(byWindows.metrics['MAP@100']).toBeGreaterThan(whole.metrics['MAP@100']);
  });
});
