// In: what retrievers find, and what their indexes take. Out: a dot each, the score over the size.
import { hoverText } from '../escape';
import { type Chart, modelColor } from '../theme';

/**
 * What does finding more take? Up and to the left is better.
 * @param metric what `score`, from 0 to 1, is, such as `MAP@100`
 */
export function scoreOverSize(points: { model: string; kilobytes: number; score: number }[], metric: string): Chart {
  /** Where a name does not lie on that of another. */
  const placeOf = ({ kilobytes, score }: (typeof points)[number]) => {
    const isBelow = points.some((other) => other.kilobytes === kilobytes && other.score > score);
    const isLeft = points.some((other) => other.kilobytes > kilobytes && other.kilobytes < 1.5 * kilobytes);
    return `${isBelow ? 'bottom' : 'top'} ${isLeft ? 'left' : 'right'}`;
  };
  return [
    points.map(({ model, kilobytes, score }, i) => ({
      mode: 'markers+text',
      name: hoverText(model),
      x: [kilobytes],
      y: [score],
      text: [hoverText(model)],
      textposition: placeOf(points[i]),
      cliponaxis: false,
      marker: { color: modelColor(model), size: 11 },
      hovertemplate: `${hoverText(model)}<br>%{x:.1f} KB a chunk, ${metric} %{y:.3f}<extra></extra>`,
    })),
    {
      showlegend: false,
      margin: { r: 170 },
      xaxis: { type: 'log', title: { text: 'KB a chunk' }, dtick: 1 },
      yaxis: { title: { text: metric } },
    },
    { title: 'What finding more takes' },
  ];
}
