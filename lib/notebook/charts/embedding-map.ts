// In: embeddings of chunks and questions. Out: a 2-D map a model (PCA), side by side.
import type { Embeddings, Matrix } from '../../common/matrix';
import { hoverText } from '../escape';
import { principalComponents } from '../pca';
import type { Chart, Trace } from '../theme';
import { GREY, modelColor } from '../theme';
import { panelsBeside } from './panels';

/** One model's vectors of the same chunks and questions. */
export interface MapPanel {
  model: string;
  /** A chunk has a vector or, searched by windows, several: the one nearest to the question is shown. */
  chunks: Embeddings;
  queries: Matrix;
}

/** Points of each kind that a panel shows: beyond it, evenly chosen ones. */
const MAX_POINTS = 150;

const rowOf = ({ data, columns }: Matrix, row: number) => data.subarray(row * columns, (row + 1) * columns);
const rowsOf = (matrix: Matrix, rows: number[]): Matrix => ({
  data: Float32Array.from(rows.flatMap((row) => [...rowOf(matrix, row)])),
  rows: rows.length,
  columns: matrix.columns,
});

/** The row, among those of the question's own chunk, whose cosine with the question is highest. */
function nearestRow({ vectors, owners }: Embeddings, owner: number, query: Float32Array): number {
  const cosine = (row: number) => {
    const vector = rowOf(vectors, row);
    return vector.reduce((sum, value, i) => sum + value * query[i], 0) / Math.hypot(...vector);
  };
  const own = Array.from(owners.keys()).filter((row) => owners[row] === owner);
  return own.reduce((best, row) => (cosine(row) > cosine(best) ? row : best));
}

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
  const shown = texts.queries.map((_, i) => i).filter((i) => i % queryStep === 0);
  const { places, titles } = panelsBeside(
    panels.map(({ model }) => model),
    0.06,
  );
  const layout: Record<string, unknown> = {
    height: 460,
    margin: { t: 110 },
    legend: { y: 1.07 },
    hovermode: 'closest',
    annotations: titles,
  };
  const traces = panels.flatMap(({ model, chunks, queries }, i): Trace[] => {
    const nearest = shown.map((query) => nearestRow(chunks, owners[query], rowOf(queries, query)));
    const rows = [...new Set(nearest)];
    const [chunkPlaces, queryPlaces] = principalComponents([rowsOf(chunks.vectors, rows), rowsOf(queries, shown)]);
    const { suffix, domain } = places[i];
    const bare = { showticklabels: false, zeroline: false, showgrid: true };
    layout[`xaxis${suffix}`] = { ...bare, domain, anchor: `y${suffix}` };
    layout[`yaxis${suffix}`] = { ...bare, anchor: `x${suffix}` };
    const common = { type: 'scatter', xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: i === 0 } as const;
    const links = nearest.flatMap((row, q) => [queryPlaces[q], chunkPlaces[rows.indexOf(row)], [null, null]]);
    const points = (at: [number, number][], words: string[]) => ({
      x: at.map(([x]) => x),
      y: at.map(([, y]) => y),
      text: words.map((text) => hoverText(text, 60)),
      hovertemplate: '%{text}<extra></extra>',
      mode: 'markers',
    });
    const chunkTexts = rows.map((row) => texts.chunks[chunks.owners[row]]);
    const queryTexts = shown.map((query) => texts.queries[query]);
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
      { ...common, ...points(chunkPlaces, chunkTexts), name: 'chunk', marker: { color: GREY, size: 7 } },
      {
        ...common,
        ...points(queryPlaces, queryTexts),
        name: 'question',
        marker: { color: modelColor(model), size: 6 },
      },
    ];
  });
  const chosen = queryStep > 1 ? ` Shown: one question in ${queryStep}.` : '';
  return [
    traces,
    layout,
    {
      title: 'Map of chunks and questions',
      caption:
        'The two directions in which the vectors differ most (PCA), for each model its own: near is similar, ' +
        `the axes have no unit.${chosen}`,
    },
  ];
}
