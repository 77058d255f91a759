// In: Plotly traces and a layout. Out: an interactive figure with a still picture behind it; or the picture alone.
import { createHash } from 'node:crypto';
import { unescapeHtml } from './escape';
import { figureHtml } from './figure-page';
import type { Chart, FigureOptions, Layout, Trace } from './figure-types';
import { headlessPlotly } from './headless-plotly';
import { type Content, inNotebook, liveOutput, show } from './output';
import { slimSvg } from './slim-svg';
import { plain, styled, thinned } from './theme';

/** Largest output in bytes, counted as the notebook file stores it. */
const MAX_BYTES = 100_000;
/** Width of the still picture in pixels; the interactive figure is as wide as its cell. */
const STILL_WIDTH = 760;
async function drawStill(traces: unknown[], layout: Record<string, unknown>): Promise<string> {
  const { plotly, document } = headlessPlotly();
  const div = document.createElement('div');
  document.body.append(div);
  try {
    const size = { width: STILL_WIDTH, height: layout.height };
    await plotly.newPlot(div, traces, { ...layout, ...size }, { staticPlot: true });
    const text = await plotly.toImage(div, { format: 'svg', imageDataOnly: true, ...size });
    const holder = document.createElement('div');
    holder.innerHTML = text;
    const svg = holder.firstElementChild as Element;
    svg.setAttribute('font-family', 'Helvetica, Arial, sans-serif');
    return slimSvg(svg);
  } finally {
    plotly.purge(div);
    div.remove();
  }
}

/** A plot of the same content has the same id in every run: committed outputs change only with their content. */
const drawn = new Map<string, number>();
function newId(traces: unknown[], layout: unknown): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([traces, layout]))
    .digest('hex')
    .slice(0, 12);
  const count = (drawn.get(hash) ?? 0) + 1;
  drawn.set(hash, count);
  return `figure-${hash}${count > 1 ? `-${count}` : ''}`;
}

const storedBytes = (html: string): number => Buffer.byteLength(JSON.stringify(html));

/** For the terminal: the title, and what each trace holds. */
function summary(traces: Trace[], title: string): string {
  const parts = traces.map((trace) => {
    const values = trace.x ?? trace.y ?? trace.z;
    const count = Array.isArray(values) || ArrayBuffer.isView(values) ? (values as unknown[]).length : 0;
    const name = (trace.name ?? trace.type ?? 'trace').replace(/<[^>]*>/g, ' ');
    return `${unescapeHtml(name)} (${count} values)`;
  });
  return `[figure] ${title}: ${parts.join(', ')}`;
}

/** The figure as an output: for `figure`, and for tests. */
export async function renderFigure(traces: Trace[], layout: Layout, options: FigureOptions): Promise<Content> {
  const text = summary(traces, options.title);
  const full = plain(traces) as Trace[];
  const dressed = plain(styled(layout, options.title)) as Record<string, unknown>;
  const id = newId(full, dressed);
  for (let step = 1; step <= 64; step *= 2) {
    const some = thinned(full, step);
    const limit = step > 1 ? `One point in ${step} is drawn, to keep the notebook small.` : '';
    const caption = [options.caption, limit].filter(Boolean).join(' ') || undefined;
    const svg = await drawStill(some, dressed);
    const html = figureHtml({ id, traces: some, layout: dressed }, options.title, caption, svg);
    if (storedBytes(html) <= MAX_BYTES) return { html, text };
  }
  throw new Error(
    `The figure "${options.title}" takes more than ${MAX_BYTES / 1000} KB: give it fewer traces or shorter texts.`,
  );
}

/**
 * Shows a Plotly figure: interactive where scripts run (Plotly is loaded once a page, from the Jupyter server), a still
 * picture of the same plot elsewhere (GitHub, nbviewer). In plain Node it prints a line of text. Texts inside traces
 * and layout are read as Plotly's HTML subset: escape what comes from documents (`hoverText`).
 * @throws Error when the output would exceed 100 KB even with one point in 64
 */
export async function figure(traces: Trace[], layout: Layout, options: FigureOptions): Promise<void> {
  show(inNotebook() ? await renderFigure(traces, layout, options) : { html: '', text: summary(traces, options.title) });
}

/** The figure's still picture: a complete SVG file, 760 pixels wide, on a transparent background. */
export async function figureSvg(traces: Trace[], layout: Layout, options: FigureOptions): Promise<string> {
  return drawStill(plain(traces) as Trace[], plain(styled(layout, options.title)) as Record<string, unknown>);
}

/** A figure that changes while work goes on. */
export interface LiveFigure {
  /** Redraws at most 4 times a second; `chart` is called only when it does, so it may be called after every step. */
  update(chart: () => Chart): void;
  /** Draws the last state, with its still picture. Call it in a `finally`, so that a stopped run keeps its figure. */
  finish(chart: Chart): Promise<void>;
}

let liveFigures = 0;

/** Opens a live figure: one output, redrawn in place. */
export function liveFigure(): LiveFigure {
  const id = `live-figure-${process.pid}-${++liveFigures}`;
  const output = liveOutput({ html: '', text: '' });
  return {
    update(chart) {
      output.update(() => {
        const [traces, layout, options] = chart();
        const plot = { id, traces: plain(traces) as unknown[], layout: styled(layout, options.title) };
        return {
          html: figureHtml(plot, options.title, options.caption, undefined),
          text: summary(traces, options.title),
        };
      });
    },
    async finish(chart) {
      const [traces, , options] = chart;
      output.finish(inNotebook() ? await renderFigure(...chart) : { html: '', text: summary(traces, options.title) });
    },
  };
}
