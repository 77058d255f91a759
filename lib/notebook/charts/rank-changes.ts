// In: each question's rank before and after. Out: points above and below the diagonal, with the texts to hover.

import { hoverText } from '../escape';
import type { QueryRanks } from '../text';
import type { Chart, Trace } from '../theme';
import { GREY, SKY_BLUE, VERMILLION } from '../theme';

/** Which questions moved, and where to? Ranks of the relevant chunk, 1 is best; null counts as `last`. */
export function rankChanges(rows: QueryRanks[], last: number): Chart {
  const place = (rank: number | null): number => Math.min(rank ?? last, last);
  const groups: [string, string, (row: QueryRanks) => boolean][] = [
    ['better', SKY_BLUE, (row) => place(row.after) < place(row.before)],
    ['same', GREY, (row) => place(row.after) === place(row.before)],
    ['worse', VERMILLION, (row) => place(row.after) > place(row.before)],
  ];
  const textLimit = Math.max(30, Math.min(120, Math.floor(24_000 / Math.max(1, rows.length))));
  const counted = groups.map(([name, color, holds]) => ({ name, color, rows: rows.filter(holds) }));
  const traces = counted.map(({ name, color, rows: members }): Trace => {
    const seen = new Map<string, number>();
    // Many questions share a place: each next one moves a little, along a spiral, so that all can be hovered.
    const spread = members.map((row) => {
      const key = `${place(row.before)} ${place(row.after)}`;
      const count = seen.get(key) ?? 0;
      seen.set(key, count + 1);
      const radius = 0.045 * Math.sqrt(count / 12);
      return [Math.cos(count * 2.4) * radius, Math.sin(count * 2.4) * radius];
    });
    return {
      type: 'scatter',
      mode: 'markers',
      name: `${name} (${members.length})`,
      x: members.map((row, i) => place(row.before) * (1 + spread[i][0])),
      y: members.map((row, i) => place(row.after) * (1 + spread[i][1])),
      text: members.map(
        (row) =>
          `${hoverText(row.query, textLimit)}<br>rank ${row.before ?? `over ${last}`} → ${row.after ?? `over ${last}`}`,
      ),
      hovertemplate: '%{text}<extra></extra>',
      marker: { color, size: 7, opacity: 0.7 },
    };
  });
  const ticks = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500].filter((tick) => tick <= last);
  const axis = { type: 'log', tickvals: ticks, ticktext: ticks.map(String), range: [-0.1, Math.log10(last * 1.15)] };
  return [
    traces,
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
