import {
  type Chart,
  embeddingMap,
  fusionCurve,
  hitRateCurve,
  type Matrix,
  metricBars,
  rankChanges,
  runsComparison,
  scoreOverSize,
  similarityHistogram,
  similarityMatrix,
  stageTimes,
  tokenLengthHistogram,
} from 'finetune-embedding';
import { lossCurve } from 'finetune-embedding/dist/notebook/charts/curves.js';
import { principalComponents } from 'finetune-embedding/dist/notebook/charts/embedding-map.js';
import { figureSvg } from 'finetune-embedding/dist/notebook/figure.js';
import { modelColor } from 'finetune-embedding/dist/notebook/theme.js';
import type { RunRecord } from 'finetune-embedding/dist/train/run/run-record.js';
import { describe, expect, it } from 'vitest';

const matrix = (rows: number[][]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

/** Every chart must draw: its words and texts are in the picture, nothing in it is undefined. */
async function expectDraws(chart: Chart, ...words: string[]): Promise<void> {
  const svg = (await figureSvg(...chart)).replaceAll('&apos;', "'");
  expect(svg).not.toMatch(/NaN|undefined/);
  for (const word of [chart[2].title, ...words]) expect(svg).toContain(`>${word}<`);
}

/** Steps or evaluations that took so many milliseconds. */
const timed = (...times: number[]) => times.map((milliseconds) => ({ milliseconds })) as never[];

describe('principalComponents', () => {
  it('finds the directions of largest variance', () => {
    // Points on an ellipse in the plane of (1, 1, 0)/√2 and (0, 0, 1): half-axes 5 and 2.
    const rows = Array.from({ length: 40 }, (_, i) => {
      const angle = (2 * Math.PI * i) / 40;
      return [(5 * Math.cos(angle)) / Math.SQRT2 + 3, (5 * Math.cos(angle)) / Math.SQRT2 - 1, 2 * Math.sin(angle) + 7];
    });
    const [places] = principalComponents([rows]);
    places.forEach(([x, y], i) => {
      const angle = (2 * Math.PI * i) / 40;
      expect(x).toBeCloseTo(5 * Math.cos(angle), 4);
      expect(y).toBeCloseTo(2 * Math.sin(angle), 4);
    });
  });

  it('refuses vectors of different dimensions', () => {
    expect(() => principalComponents([[[1, 2]], [[1, 2, 3]]])).toThrow('Inconsistent array dimensions');
  });
});

describe('charts', () => {
  it('lossCurve smooths the loss and keeps the whole training in view', async () => {
    const steps = Array.from({ length: 20 }, (_, i) => ({ step: i + 1, loss: i % 2, totalSteps: 50 }));
    const course = { steps, evaluations: [{ step: 10, score: 0.7 }] } as RunRecord;
    const chart = lossCurve(course, 'MAP@100');
    const [[, smooth], layout] = chart;
    expect((smooth.y as number[])[19]).toBe(0.5);
    expect(layout.xaxis).toMatchObject({ range: [0, 50] });
    expect(layout.yaxis2).toMatchObject({ range: [0, 1] });
    await expectDraws(chart, 'MAP@100', 'step', 'loss');
    await expectDraws(lossCurve({ steps: [], evaluations: [] }, 'MAP@100'));
  });

  it('similarityMatrix shows panels on one colour scale, with escaped texts', async () => {
    const chart = similarityMatrix(
      [
        {
          name: 'before',
          values: [
            [0.5, 0.4],
            [0.3, 0.6],
          ],
        },
        {
          name: 'after',
          values: [
            [0.9, -0.1],
            [0, 0.8],
          ],
        },
      ],
      { queries: ['<q1>', 'q2'], chunks: ['c1', 'c2'] },
    );
    expect(chart[0].map(({ zmin, zmax }) => [zmin, zmax])).toEqual([
      [-0.1, 0.9],
      [-0.1, 0.9],
    ]);
    expect(chart[0][0].y).toEqual(['1 &lt;q1&gt;', '2 q2']);
    await expectDraws(chart, 'before', 'after', 'question');
  });

  it('similarityHistogram counts every pair once', async () => {
    const chart = similarityHistogram([
      { model: 'base', positive: [0.1, 0.9, 1], negative: Float32Array.from([0, 0.5]) },
    ]);
    const [negative, positive] = chart[0].map((trace) => trace.y as number[]);
    expect(positive.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
    expect([negative[0], negative[25], positive[49]]).toEqual([0.5, 0.5, 1 / 3]);
    await expectDraws(chart, 'cosine similarity');
  });

  it('tokenLengthHistogram says what the model does not see', async () => {
    const chart = tokenLengthHistogram([100, 512, 700, 1000], 512);
    expect((chart[0][0].y as number[]).reduce((a, b) => a + b)).toBe(4);
    expect(chart[2].caption).toBe('2 of 4 chunks (50%) exceed the limit; 29% of all text lies beyond it.');
    await expectDraws(chart, 'the model&#39;s limit: 512'.replace('&#39;', "'"));
  });

  it("metricBars draws a bar a model and metric, in the model's colour", async () => {
    const chart = metricBars([
      { model: 'base', metrics: { 'MRR@10': 0.5, 'MAP@100': 0.4 } },
      { model: 'fine-tuned', metrics: { 'MRR@10': 0.75 } },
    ]);
    expect(chart[0].map(({ marker }) => marker)).toEqual(
      ['base', 'fine-tuned'].map((name) => ({ color: modelColor(name) })),
    );
    expect(chart[0][1].y).toEqual([0.75, null]);
    const [, top] = (chart[1].yaxis as { range: [number, number] }).range;
    expect(top, 'room for the number on a bar of 1').toBeGreaterThan(1.05);
    await expectDraws(chart, 'MRR@10', 'MAP@100', '0.75');
  });

  it('scoreOverSize draws a named dot a way to search, its size on a scale of powers', async () => {
    const words = { model: 'fine-tuned, words', kilobytes: 65, score: 0.84 };
    const others = [
      { model: 'base, words', kilobytes: 65, score: 0.83 },
      { model: 'fine-tuned, words + windows', kilobytes: 81, score: 0.85 },
    ];
    const chart = scoreOverSize([words, ...others], 'MAP@100');
    expect(chart[0][0]).toMatchObject({ x: [65], y: [0.84], marker: { color: modelColor('fine-tuned, words') } });
    expect(chart[0].map(({ textposition }) => textposition)).toEqual(['top left', 'bottom left', 'top right']);
    expect(chart[1].xaxis).toMatchObject({ type: 'log' });
    await expectDraws(chart, 'fine-tuned, words', 'KB a chunk', 'MAP@100');
  });

  it('hitRateCurve draws the band around the line', async () => {
    const chart = hitRateCurve([
      {
        model: 'base',
        points: [
          { k: 1, rate: 0.5, low: 0.4, high: 0.6 },
          { k: 2, rate: 0.7, low: 0.6, high: 0.8 },
        ],
      },
    ]);
    expect(chart[0][0]).toMatchObject({ x: [1, 2, 2, 1], y: [0.6, 0.8, 0.6, 0.4], fill: 'toself' });
    await expectDraws(chart, 'hit rate', 'base');
  });

  it('rankChanges sorts the questions by how they moved', async () => {
    const row = (query: string, before: number | null, after: number | null) => ({
      query,
      before,
      after,
      expected: '',
    });
    const chart = rankChanges([row('<up>', 9, 1), row('down', 1, null), row('same', 3, 3), row('up too', null, 8)], 10);
    expect(chart[0].map(({ name }) => name)).toEqual(['better (2)', 'same (1)', 'worse (1)']);
    expect((chart[0][0].text as string[])[0]).toBe('&lt;up&gt;<br>rank 9 → 1');
    expect((chart[0][2].y as number[])[0]).toBe(10);
    await expectDraws(chart, 'rank before', 'better (2)');
  });

  it('embeddingMap links each question to its chunk in each model', async () => {
    const vectors = matrix([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    const chunks = { vectors, owners: Int32Array.from([0, 1, 2]) };
    const queries = matrix([
      [0.9, 0.1, 0],
      [0, 1, 0.1],
      [0.1, 0, 1],
    ]);
    const words = { chunks: ['c1', 'c2', 'c3'], queries: ['q1', 'q2', 'q3'] };
    const chart = embeddingMap(
      [
        { model: 'base', chunks, queries },
        { model: 'fine-tuned', chunks, queries },
      ],
      words,
      [0, 1, 2],
    );
    expect(chart[0]).toHaveLength(6);
    const [links, chunkPoints, queryPoints] = chart[0].map((trace) => trace.x as (number | null)[]);
    expect([links[3], links[4], links[5]]).toEqual([queryPoints[1], chunkPoints[1], null]);
    await expectDraws(chart, 'base', 'fine-tuned', 'question');
  });

  it('fusionCurve marks the weight that was chosen among equally good ones', async () => {
    const curve = [0, 0.01, 0.02, 0.03, 0.04].map((weight, i) => ({ weight, value: [0.4, 0.6, 0.6, 0.5, 0.3][i] }));
    const chart = fusionCurve({ weight: 0.02, curve }, 'MAP@100');
    expect([chart[0][1].x, chart[0][1].y]).toEqual([[0.02], [0.6]]);
    await expectDraws(chart, 'weight 0.02', 'MAP@100 on the validation questions');
  });

  it('stageTimes and runsComparison name their bars', async () => {
    await expectDraws(
      stageTimes({ steps: timed(10_000, 15_000, 120_000), evaluations: timed(32_000) }),
      '3 training steps, 15.0 s each',
      '1 evaluations',
      '2 min 25 s',
    );
    const chart = runsComparison(
      [
        { name: 'first', score: 0.7, settings: {} },
        { name: 'second', score: 0.75, settings: { EPOCHS: 4 } },
      ],
      'MAP@100',
      0.6,
    );
    expect(chart[0][0].customdata).toEqual(['', 'EPOCHS = 4']);
    await expectDraws(chart, 'first', 'second', '0.750', 'base 0.600');
  });
});
