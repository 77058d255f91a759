// A metric at each weight of a fusion → a line, the chosen weight marked.
import type { chooseFusionWeight } from '../../evaluate/fusion';
import { GREY, VERMILLION } from '../colors';
import type { Chart } from '../figureTypes';

/**
 * How much should the model count beside keyword search? 0: keywords alone, 1: the model alone.
 *
 * @param chosen what {@link chooseFusionWeight} returned
 */
export function fusionCurve({ weight, curve }: ReturnType<typeof chooseFusionWeight>, metric: string): Chart {
  const hovertemplate = `weight %{x:.2f}: ${metric} %{y:.3f}<extra></extra>`;
  return [
    [
      {
        type: 'scatter',
        mode: 'lines+markers',
        name: metric,
        x: curve.map((point) => point.weight),
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
        x: [weight],
        y: curve.filter((point) => point.weight === weight).map(({ value }) => value),
        text: [`weight ${weight}`],
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
