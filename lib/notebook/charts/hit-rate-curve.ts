// In: hit rates over k with their confidence intervals. Out: a line and a band a model.

import { hoverText } from '../escape';
import type { Chart, Trace } from '../theme';
import { modelColor } from '../theme';

/** One model's hit rate at each `k`, with the bounds of its confidence interval. */
export interface HitRates {
  model: string;
  points: { k: number; rate: number; low: number; high: number }[];
}

/** How many chunks must one read to find the right one? Bands that overlap: the difference may be chance. */
export function hitRateCurve(models: HitRates[], confidence = 0.95): Chart {
  const percent = `${Math.round(confidence * 100)}%`;
  const traces = models.flatMap(({ model, points }): Trace[] => {
    const k = points.map((point) => point.k);
    const color = modelColor(model);
    return [
      {
        type: 'scatter',
        mode: 'lines',
        name: `${hoverText(model)}, ${percent} interval`,
        x: [...k, ...[...k].reverse()],
        y: [...points.map((point) => point.high), ...points.map((point) => point.low).reverse()],
        fill: 'toself',
        fillcolor: `${color}33`,
        line: { width: 0, color },
        hoverinfo: 'skip',
        showlegend: false,
      },
      {
        type: 'scatter',
        mode: 'lines+markers',
        name: hoverText(model),
        x: k,
        y: points.map((point) => point.rate),
        customdata: points.map(({ low, high }) => [low, high]),
        line: { color, width: 2 },
        marker: { color, size: 6 },
        hovertemplate: 'hit rate@%{x}: %{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})',
      },
    ];
  });
  return [
    traces,
    {
      xaxis: {
        title: { text: 'k: chunks read, best first' },
        dtick: models.some(({ points }) => points.some(({ k }) => k > 20)) ? undefined : 1,
      },
      yaxis: { title: { text: 'hit rate' }, rangemode: 'tozero' },
      margin: { t: 80 },
    },
    {
      title: 'Hit rate over k',
      caption: `Bands: ${percent} confidence intervals. Where two overlap widely, the difference may be chance.`,
    },
  ];
}
