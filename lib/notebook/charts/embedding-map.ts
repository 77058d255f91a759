// Embeddings of chunks and questions → a 2-D map a model (PCA), side by side.
import type { Matrix } from '../../common/matrix';
import { GREY, modelColor } from '../colors';
import { hoverText } from '../escape';
import type { Chart, Trace } from '../figure-types';
import { principalComponents } from '../pca';
import { panelTitle } from './panel-title';

/** One model's vectors of the same chunks and questions. */
export interface MapPanel {
  model: string;
  chunks: Matrix;
  queries: Matrix;
}

/** Points of each kind that a panel shows: beyond it, evenly chosen ones. */
const MAX_POINTS = 150;

/**
 * Do questions come to lie nearer to their chunks? Chunks grey, questions in the model's colour, a thin line from each
 * question to its chunk. Each model has its own PCA, as their spaces share no axes.
 * @param owners `owners[i]` is the index of question i's chunk
 */
export function embeddingMap(
  panels: MapPanel[],
  texts: { chunks: string[]; queries: string[] },
  owners: ArrayLike<number>,
): Chart {
  const queryStep = Math.max(1, Math.ceil(texts.queries.length / MAX_POINTS));
  const shownQueries = texts.queries.map((_, i) => i).filter((i) => i % queryStep === 0);
  const shownChunks = [...new Set(shownQueries.map((i) => owners[i]))];
  const gap = 0.06;
  const width = (1 - gap * (panels.length - 1)) / panels.length;
  const layout: Record<string, unknown> = {
    height: 460,
    margin: { t: 110 },
    legend: { y: 1.07 },
    hovermode: 'closest',
  };
  const annotations: unknown[] = [];
  const traces = panels.flatMap(({ model, chunks, queries }, i): Trace[] => {
    const [chunkPlaces, queryPlaces] = principalComponents([chunks, queries]);
    const suffix = i === 0 ? '' : String(i + 1);
    const left = i * (width + gap);
    const bare = { showticklabels: false, zeroline: false, showgrid: true };
    layout[`xaxis${suffix}`] = { ...bare, domain: [left, left + width], anchor: `y${suffix}` };
    layout[`yaxis${suffix}`] = { ...bare, anchor: `x${suffix}` };
    annotations.push(panelTitle(model, left + width / 2));
    const common = { type: 'scatter', xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: i === 0 } as const;
    const links = shownQueries.flatMap((q) => [queryPlaces[q], chunkPlaces[owners[q]], [null, null]]);
    const points = (places: [number, number][], shown: number[], list: string[]) => ({
      x: shown.map((index) => places[index][0]),
      y: shown.map((index) => places[index][1]),
      text: shown.map((index) => hoverText(list[index], 60)),
      hovertemplate: '%{text}<extra></extra>',
      mode: 'markers',
    });
    return [
      {
        ...common,
        mode: 'lines',
        name: 'question to its chunk',
        x: links.map(([x]) => x),
        y: links.map(([, y]) => y),
        line: { color: GREY, width: 0.7 },
        opacity: 0.5,
        hoverinfo: 'skip',
      },
      { ...common, ...points(chunkPlaces, shownChunks, texts.chunks), name: 'chunk', marker: { color: GREY, size: 7 } },
      {
        ...common,
        ...points(queryPlaces, shownQueries, texts.queries),
        name: 'question',
        marker: { color: modelColor(model), size: 6 },
      },
    ];
  });
  layout.annotations = annotations;
  const chosen = queryStep > 1 ? ` Shown: one question in ${queryStep}.` : '';
  return [
    traces,
    layout,
    {
      title: 'Map of chunks and questions',
      caption: `The two directions in which the vectors differ most (PCA), for each model its own: near is similar, the axes have no unit.${chosen}`,
    },
  ];
}
