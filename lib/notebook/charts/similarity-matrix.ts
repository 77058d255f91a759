// In: the cosine similarities of one batch's questions and chunks. Out: heat maps side by side.
import { hoverText } from '../escape';
import type { Chart, Trace } from '../theme';
import { onPanel, panelsBeside } from './panels';

/**
 * What the loss compares: each question (row) with every chunk of the batch (column); its own lies on the diagonal.
 * @param panels one matrix, or the same batch before and after training: `values[i][j]` is of question i and chunk j
 * @param texts questions and chunks for the hover labels
 */
export function similarityMatrix(
  panels: { name: string; values: number[][] }[],
  texts: { queries: string[]; chunks: string[] },
): Chart {
  const all = panels.flatMap(({ values }) => values.flat());
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const [columns, rows] = [texts.chunks.length, texts.queries.length];
  const names = panels.map(({ name }) => name);
  const beside = panelsBeside(names, 0.08, (panel) => [
    { ...numbered(columns), range: [-0.5, columns - 0.5], title: { text: 'chunk' } },
    { ...numbered(rows), range: [rows - 0.5, -0.5], title: { text: panel === 0 ? 'question' : '' } },
  ]);
  const traces = panels.map(
    ({ name, values }, i): Trace => ({
      type: 'heatmap',
      name: hoverText(name),
      x: texts.chunks.map(label),
      y: texts.queries.map(label),
      z: values,
      ...onPanel(i),
      zmin: low,
      zmax: high,
      colorscale: 'Viridis',
      showscale: i === panels.length - 1,
      colorbar: { title: { text: 'cosine' }, thickness: 12, outlinewidth: 0 },
      hovertemplate: 'question %{y}<br>chunk %{x}<br><b>%{z:.3f}</b><extra></extra>',
    }),
  );
  return [
    traces,
    { height: 420, margin: { t: 80, r: 80 }, ...beside },
    {
      title: 'Similarity of questions and chunks in one batch',
      caption: 'Bright on the diagonal, dark elsewhere: each question is nearest to its own chunk.',
    },
  ];
}

/** Whole texts as tick labels would be too long: they are the axis' values, which hover labels show. */
const label = (text: string, i: number): string => `${i + 1} ${hoverText(text, 100)}`;

/** An axis of categories whose ticks, at most eight, are numbers. */
function numbered(count: number): object {
  const step = Math.max(1, Math.ceil(count / 8));
  const tickvals = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  return { type: 'category', showgrid: false, tickmode: 'array', tickvals, ticktext: tickvals.map((i) => `${i + 1}`) };
}
