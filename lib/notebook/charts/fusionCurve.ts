// A metric at each weight of a fusion → a line, its best point marked.
import { GREY, VERMILLION } from '../colors';
import type { Chart } from '../figureTypes';

/** How much should the model count beside keyword search? 0: keywords alone, 1: the model alone. */
export function fusionCurve(curve: { weight: number; value: number }[], metric: string): Chart {
  const best = curve.reduce((top, point) => (point.value > top.value ? point : top));
  const hovertemplate = `weight %{x:.2f}: ${metric} %{y:.3f}<extra></extra>`;
  return [
    [
      {
        type: 'scatter',
        mode: 'lines+markers',
        name: metric,
        x: curve.map(({ weight }) => weight),
        y: curve.map(({ value }) => value),
        line: { color: GREY, width: 2 },
        marker: { color: GREY, size: 6 },
        hovertemplate,
        showlegend: false,
      },
      {
        type: 'scatter',
        mode: 'markers+text',
        name: 'chosen',
        x: [best.weight],
        y: [best.value],
        text: [`weight ${best.weight}`],
        textposition: 'top center',
        marker: { color: VERMILLION, size: 11 },
        hovertemplate,
        showlegend: false,
      },
    ],
    {
      xaxis: { title: { text: 'weight of the model: 0 is keywords alone, 1 the model alone' }, range: [-0.03, 1.03] },
      yaxis: { title: { text: `${metric} on the training documents` } },
      margin: { t: 60 },
    },
    {
      title: 'Model and keywords together',
      caption: 'Chosen on questions about the training documents, then used on the others.',
    },
  ];
}
