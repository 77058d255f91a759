// In: numbers. Out: histograms: similarities of pairs before and after training, token lengths beside a limit.
import { hoverText } from '../escape';
import { BLUE, type Chart, GREY, type Layout, modelColor, type Trace, VERMILLION } from '../theme';

/**
 * Centres and counts of bins of equal width. Counted here, not in the page: a figure then holds some dozens of numbers,
 * however many were counted.
 */
function bin(values: ArrayLike<number>, low: number, high: number, bins: number): { x: number[]; counts: number[] } {
  const width = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of Array.from(values)) counts[Math.max(0, Math.min(bins - 1, Math.floor((value - low) / width)))]++;
  return { x: counts.map((_, i) => low + (i + 0.5) * width), counts };
}

/**
 * Does training pull the right pairs away from the wrong ones? One panel a model, one above the other.
 * @param models each one's cosine similarities of questions with their own chunk (positive) and with others (negative)
 */
export function similarityHistogram(
  models: { model: string; positive: ArrayLike<number>; negative: ArrayLike<number> }[],
): Chart {
  const all = models.flatMap(({ positive, negative }) => [...Array.from(positive), ...Array.from(negative)]);
  const low = all.reduce((a, b) => Math.min(a, b));
  const high = all.reduce((a, b) => Math.max(a, b));
  const share = 1 / models.length;
  const layout: Layout = {
    height: 140 + 180 * models.length,
    barmode: 'overlay',
    bargap: 0,
    margin: { t: 100 },
    xaxis: { title: { text: 'cosine similarity' }, anchor: models.length > 1 ? `y${models.length}` : 'y' },
  };
  const traces = models.flatMap(({ model, positive, negative }, i): Trace[] => {
    const suffix = i === 0 ? '' : String(i + 1);
    const top = 1 - i * share;
    const bottom = top - share + (i < models.length - 1 ? 0.06 : 0);
    layout[`yaxis${suffix}`] = { domain: [bottom, top], title: { text: hoverText(model) }, tickformat: '.0%' };
    const bars = (name: string, values: ArrayLike<number>, color: string): Trace => {
      const { x, counts } = bin(values, low, high, 50);
      return {
        type: 'bar',
        name: `${hoverText(model)}: ${name}`,
        x,
        y: counts.map((count) => count / values.length),
        yaxis: `y${suffix}`,
        marker: { color, line: { width: 0 } },
        opacity: 0.7,
        hovertemplate: '%{x:.2f}: %{y:.1%}<extra></extra>',
      };
    };
    return [
      bars('question and another chunk', negative, GREY),
      bars('question and its own chunk', positive, modelColor(model)),
    ];
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
export function tokenLengthHistogram(lengths: number[], limit: number, unit = 'tokens'): Chart {
  const longest = lengths.reduce((a, b) => Math.max(a, b), 0);
  const size = Math.max(1, Math.ceil(longest / 40));
  const bins = Math.floor(longest / size) + 1;
  const { x, counts } = bin(lengths, 0, size * bins, bins);
  const over = lengths.filter((length) => length > limit);
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const percent = (part: number, whole: number): string => `${((100 * part) / (whole || 1)).toFixed(0)}%`;
  const atLimit = { yref: 'paper', x: limit, y: 1, yanchor: 'bottom' };
  const line = { color: VERMILLION, width: 2, dash: 'dash' };
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
      shapes: [{ type: 'line', yref: 'paper', x0: limit, x1: limit, y0: 0, y1: 1, line }],
      annotations: [{ ...atLimit, text: `the model's limit: ${limit}`, showarrow: false }],
    },
    {
      title: 'Length of the chunks',
      caption:
        `${over.length} of ${lengths.length} chunks (${percent(over.length, lengths.length)}) exceed the limit; ` +
        `${percent(sum(over) - limit * over.length, sum(lengths))} of all text lies beyond it.`,
    },
  ];
}
