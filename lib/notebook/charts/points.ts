// In: each question's rank before and after; what retrievers find, and what their indexes take. Out: a point each.
import type { QueryChange } from '../../evaluate/evaluation';
import { hoverText } from '../escape';
import { type Chart, GREY, modelColor, SKY_BLUE, type Trace, VERMILLION } from '../theme';

/** Which questions moved, and where to? Ranks of the relevant chunk, 1 is best; null counts as `last`. */
export function rankChanges(rows: Pick<QueryChange, 'query' | 'before' | 'after'>[], last: number): Chart {
  const place = (rank: number | null): number => Math.min(rank ?? last, last);
  const shown = (rank: number | null): string => String(rank ?? `over ${last}`);
  const textLimit = Math.max(30, Math.min(120, Math.floor(24_000 / Math.max(1, rows.length))));
  const points = (name: string, color: string, sign: number): Trace => {
    const members = rows.filter(({ before, after }) => Math.sign(place(after) - place(before)) === sign);
    const seen = new Map<string, number>();
    // Many questions share a place: each next one moves a little, along a spiral, so that all can be hovered.
    const places = members.map(({ before, after }) => {
      const key = `${place(before)} ${place(after)}`;
      const count = seen.get(key) ?? 0;
      seen.set(key, count + 1);
      const radius = 0.045 * Math.sqrt(count / 12);
      const [right, up] = [Math.cos(count * 2.4) * radius, Math.sin(count * 2.4) * radius];
      return [place(before) * (1 + right), place(after) * (1 + up)];
    });
    return {
      mode: 'markers',
      name: `${name} (${members.length})`,
      x: places.map(([x]) => x),
      y: places.map(([, y]) => y),
      text: members.map(
        ({ query, before, after }) => `${hoverText(query, textLimit)}<br>rank ${shown(before)} → ${shown(after)}`,
      ),
      hovertemplate: '%{text}<extra></extra>',
      marker: { color, size: 7, opacity: 0.7 },
    };
  };
  const ticks = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500].filter((tick) => tick <= last);
  const axis = { type: 'log', tickvals: ticks, ticktext: ticks.map(String), range: [-0.1, Math.log10(last * 1.15)] };
  return [
    [points('better', SKY_BLUE, -1), points('same', GREY, 0), points('worse', VERMILLION, 1)],
    {
      height: 480,
      xaxis: { ...axis, title: { text: 'rank before' } },
      yaxis: { ...axis, title: { text: 'rank after' } },
      shapes: [{ type: 'line', x0: 1, y0: 1, x1: last, y1: last, line: { color: GREY, width: 1, dash: 'dot' } }],
      margin: { t: 80 },
      hovermode: 'closest',
    },
    {
      title: 'Rank of the right chunk, question by question',
      caption: 'Below the dotted line: the question ranks its chunk higher than before.',
    },
  ];
}

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
