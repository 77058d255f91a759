// In: embeddings of chunks and questions. Out: a 2-D map a model (PCA), side by side.
import { PCA } from 'ml-pca';
import { type Embeddings, type Matrix, rowOf } from '../../common/matrix';
import { nearestVector } from '../../evaluate/vector-scores';
import { hoverText } from '../escape';
import { type Chart, GREY, modelColor, type Trace } from '../theme';
import { onPanel, panelsBeside } from './panels';

/** Questions that a panel shows: beyond it, evenly chosen ones. */
const MAX_QUESTIONS = 150;

/**
 * Each vector's place along the first two principal components (Pearson 1901) of all `parts` together: one projection,
 * so that what belongs together lies together. Signs are fixed, the largest loading positive: same input, same picture.
 */
export function principalComponents(parts: number[][][]): [x: number, y: number][][] {
  const pca = new PCA(parts.flat());
  const [xSign, ySign] = [0, 1].map((axis) => {
    const loadings = pca.getEigenvectors().getColumn(axis);
    return loadings.reduce((best, value) => (Math.abs(value) > Math.abs(best) + 1e-12 ? value : best), 0) < 0 ? -1 : 1;
  });
  return parts.map((rows) => {
    const places = pca.predict(rows, { nComponents: 2 }).to2DArray();
    return places.map(([x, y]): [number, number] => [xSign * x, ySign * y]);
  });
}

/**
 * Do questions come to lie nearer to their chunks? Chunks grey, questions in the model's colour, a thin line from each
 * question to its chunk. Each model has its own PCA, as their spaces share no axes.
 * @param panels each model's vectors of the same chunks and questions; of a chunk that has several vectors, as it is
 *   searched by windows, the one nearest to the question is shown
 * @param owners `owners[i]` is the index of question i's chunk
 */
export function embeddingMap(
  panels: { model: string; chunks: Embeddings; queries: Matrix }[],
  texts: { chunks: string[]; queries: string[] },
  owners: ArrayLike<number>,
): Chart {
  const step = Math.max(1, Math.ceil(texts.queries.length / MAX_QUESTIONS));
  const shown = [...texts.queries.keys()].filter((i) => i % step === 0);
  const axis = { showticklabels: false, zeroline: false, showgrid: true };
  const names = panels.map(({ model }) => model);
  const beside = panelsBeside(names, 0.06, () => [axis, axis]);
  const traces = panels.flatMap(({ model, chunks, queries }, i): Trace[] => {
    const questions = shown.map((query) => [...rowOf(queries, query)]);
    const nearest = shown.map((query) => {
      const question = { data: rowOf(queries, query), rows: 1, columns: queries.columns };
      return chunks.owners.indexOf(owners[query]) + nearestVector(question, chunks, owners[query]);
    });
    const rows = [...new Set(nearest)];
    const vectors = rows.map((row) => [...rowOf(chunks.vectors, row)]);
    const [chunkPlaces, queryPlaces] = principalComponents([vectors, questions]);
    const links = nearest.flatMap((row, q) => [queryPlaces[q], chunkPlaces[rows.indexOf(row)], [null, null]]);
    const drawn = (name: string, places: (number | null)[][]) => ({
      ...onPanel(i),
      showlegend: i === 0,
      name,
      x: places.map(([x]) => x),
      y: places.map(([, y]) => y),
    });
    const points = (name: string, places: number[][], words: string[], color: string, size: number) => ({
      ...drawn(name, places),
      mode: 'markers',
      marker: { color, size },
      text: words.map((text) => hoverText(text, 60)),
      hovertemplate: '%{text}<extra></extra>',
    });
    const chunkTexts = rows.map((row) => texts.chunks[chunks.owners[row]]);
    const queryTexts = shown.map((query) => texts.queries[query]);
    const line = { color: GREY, width: 0.7 };
    return [
      { ...drawn('question to its chunk', links), mode: 'lines', line, opacity: 0.5, hoverinfo: 'skip' },
      points('chunk', chunkPlaces, chunkTexts, GREY, 7),
      points('question', queryPlaces, queryTexts, modelColor(model), 6),
    ];
  });
  const chosen = step > 1 ? ` Shown: one question in ${step}.` : '';
  return [
    traces,
    { height: 460, margin: { t: 110 }, legend: { y: 1.07 }, hovermode: 'closest', ...beside },
    {
      title: 'Map of chunks and questions',
      caption:
        'The two directions in which the vectors differ most (PCA), for each model its own: near is similar, ' +
        `the axes have no unit.${chosen}`,
    },
  ];
}
