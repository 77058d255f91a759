// In: a metric at each weight of a fusion. Out: a line, the chosen weight marked.
import type { chooseFusionWeight } from '../../evaluate/fusion';
import type { Chart } from '../theme';
import { GREY, VERMILLION } from '../theme';

/**
 * How much should keyword search count beside the model? 0: the model alone.
 *
 * @param chosen what {@link chooseFusionWeight} returned
 */
export function fusionCurve({ weight, curve }: ReturnType<typeof chooseFusionWeight>, metric: string): Chart {
  const hovertemplate = `weight %{x:.4f}: ${metric} %{y:.3f}<extra></extra>`;
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
      xaxis: { title: { text: 'weight: what a point of BM25 adds to the cosine; 0 is the model alone' } },
      yaxis: { title: { text: `${metric} on the validation questions` } },
      margin: { t: 60 },
    },
    {
      title: 'Model and keywords together',
      caption: 'Chosen on the validation questions, then used on those that are reported.',
    },
  ];
}
