// In: the cosine similarities of one batch's questions and chunks. Out: heat maps side by side.
import { hoverText } from '../escape';
import type { Chart, Trace } from '../figure-types';
import { panelsBeside } from './panels';

/** One panel: `values[i][j]` is the similarity of question i and chunk j. */
export interface SimilarityPanel {
  name: string;
  values: number[][];
}

/** Largest number of cells of all panels together. */
const MAX_CELLS = 4_000;

/**
 * What the loss compares: each question (row) with every chunk of the batch (column); its own lies on the diagonal.
 * @param panels one matrix, or the same batch before and after training
 * @param texts questions and chunks for the hover labels
 */
export function similarityMatrix(panels: SimilarityPanel[], texts?: { queries: string[]; chunks: string[] }): Chart {
  const cells = panels.reduce((sum, { values }) => sum + values.length * (values[0]?.length ?? 0), 0);
  if (cells > MAX_CELLS)
    throw new Error(`similarityMatrix draws at most ${MAX_CELLS} cells, not ${cells}: take a smaller batch.`);
  const all = panels.flatMap(({ values }) => values.flat());
  const [low, high] = [all.reduce((a, b) => Math.min(a, b), 1), all.reduce((a, b) => Math.max(a, b), -1)];
  const { places, titles } = panelsBeside(
    panels.map(({ name }) => name),
    0.08,
  );
  const layout: Record<string, unknown> = { height: 420, margin: { t: 80, r: 80 }, annotations: titles };
  const traces = panels.map(({ name, values }, i): Trace => {
    const { suffix, domain } = places[i];
    layout[`xaxis${suffix}`] = {
      domain,
      title: { text: 'chunk' },
      showgrid: false,
      dtick: step(values[0]?.length ?? 0),
      anchor: `y${suffix}`,
    };
    layout[`yaxis${suffix}`] = {
      autorange: 'reversed',
      title: { text: i === 0 ? 'question' : '' },
      showgrid: false,
      dtick: step(values.length),
      anchor: `x${suffix}`,
    };
    return {
      type: 'heatmap',
      name: hoverText(name),
      z: values,
      x0: 1,
      dx: 1,
      y0: 1,
      dy: 1,
      xaxis: `x${suffix}`,
      yaxis: `y${suffix}`,
      zmin: low,
      zmax: high,
      colorscale: 'Viridis',
      showscale: i === panels.length - 1,
      colorbar: { title: { text: 'cosine' }, thickness: 12, outlinewidth: 0 },
      hovertemplate: 'question %{y}, chunk %{x}: %{z:.3f}<extra></extra>',
    };
  });
  if (texts) addLabels(traces, layout, texts);
  return [
    traces,
    layout,
    {
      title: 'Similarity of questions and chunks in one batch',
      caption: 'Bright on the diagonal, dark elsewhere: each question is nearest to its own chunk.',
    },
  ];
}

const step = (count: number): number => Math.max(1, Math.ceil(count / 8));

/** Texts as tick labels would be too long: they go into the hover labels, once an axis, as x and y values. */
function addLabels(
  traces: Trace[],
  layout: Record<string, unknown>,
  texts: { queries: string[]; chunks: string[] },
): void {
  for (const trace of traces) {
    for (const axis of ['x', 'y'] as const) {
      const list = axis === 'x' ? texts.chunks : texts.queries;
      delete trace[`${axis}0`];
      delete trace[`d${axis}`];
      trace[axis] = list.map((text, i) => `${i + 1} ${hoverText(text, 100)}`);
      const key = `${axis}axis${String(trace[`${axis}axis`]).slice(1)}`;
      const every = step(list.length);
      const shown = list.map((_, i) => i).filter((i) => i % every === 0);
      layout[key] = {
        ...(layout[key] as object),
        type: 'category',
        dtick: undefined,
        tickmode: 'array',
        tickvals: shown,
        ticktext: shown.map((i) => String(i + 1)),
        autorange: undefined,
        range: axis === 'x' ? [-0.5, list.length - 0.5] : [list.length - 0.5, -0.5],
      };
    }
    trace.hovertemplate = 'question %{y}<br>chunk %{x}<br><b>%{z:.3f}</b><extra></extra>';
  }
}
