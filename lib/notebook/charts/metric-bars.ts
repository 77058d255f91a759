// In: metrics of several models. Out: grouped bars, one colour a model.

import { hoverText } from '../escape';
import type { Chart } from '../theme';
import { modelColor } from '../theme';

/** One model's metrics, such as `{ 'hit rate@5': 0.84, 'MRR@10': 0.71 }`: shares between 0 and 1. */
export interface ModelMetrics {
  model: string;
  metrics: Record<string, number>;
}

/** Which model finds the right chunk most often, and how high does it rank it? */
export function metricBars(models: ModelMetrics[]): Chart {
  const names = [...new Set(models.flatMap(({ metrics }) => Object.keys(metrics)))];
  return [
    models.map(({ model, metrics }) => ({
      type: 'bar',
      name: hoverText(model),
      x: names.map((name) => hoverText(name)),
      y: names.map((name) => metrics[name] ?? null),
      text: names.map((name) => (name in metrics ? metrics[name].toFixed(2) : '')),
      textposition: 'outside',
      cliponaxis: false,
      marker: { color: modelColor(model) },
      hovertemplate: `${hoverText(model)}<br>%{x}: %{y:.3f}<extra></extra>`,
    })),
    {
      barmode: 'group',
      legend: { y: -0.1, yanchor: 'top' }, // Below: many models' names take several lines.
      yaxis: { range: [0, 1.1], dtick: 0.2, title: { text: 'score' } }, // Room for the number on a bar that reaches 1.
    },
    { title: 'Models compared' },
  ];
}
