// In: numbers. Out: histograms: similarities of pairs before and after training, token lengths beside a limit.

import { hoverText } from '../escape';
import type { Chart, Trace } from '../theme';
import { BLUE, GREY, modelColor, VERMILLION } from '../theme';

interface Bins {
  /** Centres. */
  x: number[];
  /** Share of all values in each bin. */
  share: number[];
  counts: number[];
}

/** Counted here, not in the page: a figure then holds some dozens of numbers, however many were counted. */
function bin(values: ArrayLike<number>, low: number, high: number, bins: number): Bins {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++)
    counts[Math.max(0, Math.min(bins - 1, Math.floor((values[i] - low) / width)))]++;
  return {
    x: counts.map((_, i) => low + (i + 0.5) * width),
    share: counts.map((count) => (values.length > 0 ? count / values.length : 0)),
    counts,
  };
}

function extremes(lists: ArrayLike<number>[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) [low, high] = [Math.min(low, list[i]), Math.max(high, list[i])];
  }
  if (low > high) throw new Error('A histogram needs at least one value.');
  return [low, high];
}

/** One model's cosine similarities of questions with their own chunk (positive) and with other chunks (negative). */
export interface PairSimilarities {
  model: string;
  positive: ArrayLike<number>;
  negative: ArrayLike<number>;
}

/** Does training pull the right pairs away from the wrong ones? One panel a model, one above the other. */
export function similarityHistogram(models: PairSimilarities[]): Chart {
  const [low, high] = extremes(models.flatMap(({ positive, negative }) => [positive, negative]));
  const bins = 50;
  const share = 1 / models.length;
  const layout: Record<string, unknown> = {
    height: 140 + 180 * models.length,
    barmode: 'overlay',
    bargap: 0,
    margin: { t: 100 },
    xaxis: { title: { text: 'cosine similarity' }, anchor: models.length > 1 ? `y${models.length}` : 'y' },
  };
  const traces = models.flatMap(({ model, positive, negative }, i): Trace[] => {
    const suffix = i === 0 ? '' : String(i + 1);
    const top = 1 - i * share;
    layout[`yaxis${suffix}`] = {
      domain: [top - share + (i < models.length - 1 ? 0.06 : 0), top],
      title: { text: hoverText(model) },
      tickformat: '.0%',
    };
    return (
      [
        ['question and another chunk', negative, GREY],
        ['question and its own chunk', positive, modelColor(model)],
      ] as const
    ).map(([name, values, color]) => {
      const { x, share: y } = bin(values, low, high, bins);
      return {
        type: 'bar',
        name: `${hoverText(model)}: ${name}`,
        x,
        y,
        yaxis: `y${suffix}`,
        marker: { color, line: { width: 0 } },
        opacity: 0.7,
        hovertemplate: '%{x:.2f}: %{y:.1%}<extra></extra>',
      };
    });
  });
  return [
    traces,
    layout,
    {
      title: 'Similarity of right and wrong pairs',
      caption: 'The less the two hills of a model overlap, the more often the right chunk comes first.',
    },
  ];
}

/** How long are the chunks, and how much of them does the model never see? */
export function tokenLengthHistogram(lengths: ArrayLike<number>, limit: number, unit = 'tokens'): Chart {
  const [, longest] = extremes([lengths]);
  const size = Math.max(1, Math.ceil(longest / 40));
  const bins = Math.floor(longest / size) + 1;
  const { x, counts } = bin(lengths, 0, size * bins, bins);
  let [over, all, lost] = [0, 0, 0];
  for (let i = 0; i < lengths.length; i++) {
    all += lengths[i];
    if (lengths[i] > limit) [over, lost] = [over + 1, lost + lengths[i] - limit];
  }
  const percent = (part: number, whole: number): string => `${((100 * part) / (whole || 1)).toFixed(0)}%`;
  return [
    [
      {
        type: 'bar',
        name: 'chunks',
        x,
        y: counts,
        marker: { color: x.map((center) => (center > limit ? VERMILLION : BLUE)), line: { width: 0 } },
        hovertemplate: `about %{x:.0f} ${unit}: %{y} chunks<extra></extra>`,
      },
    ],
    {
      bargap: 0.05,
      showlegend: false,
      xaxis: { title: { text: `${unit} in a chunk` }, range: [0, Math.max(size * bins, limit * 1.1)] },
      yaxis: { title: { text: 'chunks' } },
      shapes: [
        {
          type: 'line',
          x0: limit,
          x1: limit,
          y0: 0,
          y1: 1,
          yref: 'paper',
          line: { color: VERMILLION, width: 2, dash: 'dash' },
        },
      ],
      annotations: [
        { x: limit, y: 1, yref: 'paper', yanchor: 'bottom', text: `the model's limit: ${limit}`, showarrow: false },
      ],
    },
    {
      title: 'Length of the chunks',
      caption:
        `${over} of ${lengths.length} chunks (${percent(over, lengths.length)}) exceed the limit; ` +
        `${percent(lost, all)} of all text lies beyond it.`,
    },
  ];
}
