// In: what retrievers find, and what their indexes take. Out: a dot each, the score over the size.
import { hoverText } from '../escape';
import { type Chart, modelColor } from '../theme';

/**
 * What does finding more take? Up and to the left is better.
 * @param metric what `score`, from 0 to 1, is, such as `MAP@100`
 */
export function scoreOverSize(points: { model: string; kilobytes: number; score: number }[], metric: string): Chart {
  return [
    points.map(({ model, kilobytes, score }) => ({
      mode: 'markers+text',
      name: hoverText(model),
      x: [kilobytes],
      y: [score],
      text: [hoverText(model)],
      textposition: model.startsWith('base') ? 'bottom center' : 'top center',
      cliponaxis: false,
      marker: { color: modelColor(model), size: 11 },
      hovertemplate: `${hoverText(model)}<br>%{x:.1f} KB a chunk, ${metric} %{y:.3f}<extra></extra>`,
    })),
    {
      showlegend: false,
      margin: { l: 90, r: 110 },
      xaxis: { type: 'log', title: { text: 'KB a chunk' }, dtick: 1 },
      yaxis: { title: { text: metric } },
    },
    { title: 'What finding more takes' },
  ];
}
