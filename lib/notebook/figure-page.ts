// In: a figure's data. Out: its HTML: a still picture that a script, where scripts run, replaces by the live plot.
import { escapeHtml } from './escape';
import type { FigureOptions, Layout, Trace } from './theme';

/** Plotly's file below the Jupyter server's root, which is the project's folder. */
const PLOTLY_PATH = 'node_modules/plotly.js-dist/plotly.js';

/** The same file, byte for byte, from a CDN: the last resort of a page without a Jupyter server. */
export const PLOTLY_CDN = 'https://cdn.jsdelivr.net/npm/plotly.js-dist@4.1.1/plotly.js';

/** Subresource integrity of that file; a test holds it against the installed package. */
export const PLOTLY_INTEGRITY = 'sha384-WQ1AwRTh1OMvkqdtW61RUvQ1VIvyOYAvC4bPxQnFwwyq15kpo+WXIhzrGljgSdeT';

interface PagePlotly {
  react(node: Element, traces: unknown[], layout: unknown, config: unknown): Promise<unknown>;
  Plots: { resize(node: Element): void };
}

/** What figures of a page share: Plotly, and live plots by id, as the next update goes on with the same one. */
type PageState = { loading?: Promise<PagePlotly>; nodes: Map<string, HTMLElement> };

/**
 * Runs in the reader's page, as source text: it can use nothing outside itself.
 * The classes in the style sheet are Plotly's: its texts take the colour of the page's theme, also when that changes.
 */
function drawInPage(id: string, traces: Trace[], layout: Layout, path: string, cdn: string, integrity: string): void {
  const page = window as unknown as { Plotly?: PagePlotly; embeddingFigures?: PageState };
  if (!page.embeddingFigures) {
    page.embeddingFigures = { nodes: new Map() };
    const style = document.createElement('style');
    style.textContent =
      '.embedding-figure{color:var(--jp-ui-font-color1,var(--vscode-editor-foreground,inherit))}' +
      '.embedding-figure :is([class$="title"],[class$="tick"] text,.legendtext,.annotation-text,.bartext-outside)' +
      '{fill:currentColor!important}';
    document.head.append(style);
  }
  const state = page.embeddingFigures;
  const load = (src: string, hash?: string): Promise<PagePlotly> =>
    new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = src;
      if (hash) Object.assign(script, { integrity: hash, crossOrigin: 'anonymous' });
      script.onload = () => (page.Plotly ? resolve(page.Plotly) : reject(new Error(`no Plotly in ${src}`)));
      script.onerror = () => reject(new Error(`cannot load ${src}`));
      document.head.append(script);
    });
  const find = (): Promise<PagePlotly> => {
    if (page.Plotly) return Promise.resolve(page.Plotly);
    const config = document.getElementById('jupyter-config-data')?.textContent;
    const base = document.body.dataset.baseUrl ?? (config && JSON.parse(config).baseUrl);
    if (!base) return load(cdn, integrity);
    return load(`${base.replace(/\/*$/, '/')}files/${path}`).catch(() => load(cdn, integrity));
  };
  if (!state.loading) state.loading = find();
  // No button that uploads the reader's data, none that selects points to no effect.
  const modeBarButtonsToRemove = ['sendChartToCloud', 'select2d', 'lasso2d'];
  const config = { displaylogo: false, plotlyServerURL: '', modeBarButtonsToRemove };
  const draw = (plotly: PagePlotly): void => {
    for (const box of document.querySelectorAll<HTMLElement>(`[id="${id}"]`)) {
      if (box.dataset.drawn) continue;
      box.dataset.drawn = 'true';
      const old = state.nodes.get(id);
      const node = old && !old.isConnected ? old : document.createElement('div');
      const picture = [...box.childNodes];
      box.replaceChildren(node);
      if (id.startsWith('live')) state.nodes.set(id, node);
      plotly.react(node, traces, layout, config).catch((error) => {
        box.replaceChildren(...picture);
        console.error(error);
      });
      let width = box.clientWidth;
      new ResizeObserver(() => {
        if (box.clientWidth === width || !box.clientWidth || !node.isConnected) return;
        width = box.clientWidth;
        plotly.Plots.resize(node);
      }).observe(box);
    }
  };
  state.loading.then(draw, (error) => {
    state.loading = undefined;
    console.warn(`Figures stay still pictures: ${error.message}`);
  });
}

/** JSON that is safe inside a script element. */
const scriptJson = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c');

/**
 * The HTML of one figure.
 * @param id of the element that it is drawn in
 * @param svg the still picture; none in an update of a live figure, which is drawn by script or not at all
 */
export function figureHtml(id: string, traces: Trace[], layout: Layout, words: FigureOptions, svg?: string): string {
  const data = svg && `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  const picture = data ? `<img alt="${escapeHtml(words.title)}" src="${data}" style="max-width:100%">` : '';
  const below = words.caption ? `<p><em>${escapeHtml(words.caption)}</em></p>` : '';
  const call = [id, traces, layout, PLOTLY_PATH, PLOTLY_CDN, PLOTLY_INTEGRITY].map(scriptJson).join(',');
  return (
    `<div class="embedding-figure"><div id="${id}" style="min-height:${layout.height}px">${picture}</div>` +
    `${below}</div>\n` +
    `<script>(${drawInPage.toString().replace(/\n\s+/g, '\n')})(${call})</script>`
  );
}
