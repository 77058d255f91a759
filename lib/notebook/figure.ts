// In: Plotly traces and a layout. Out: an interactive figure with a still picture behind it; or the picture alone.
import { contentId } from '../common/ids';
import { unescapeHtml } from './escape';
import { figureHtml } from './figure-page';
import { type Content, inNotebook, liveOutput, show } from './output';
import { drawStill } from './still-process';
import { type Chart, type FigureOptions, type Layout, plain, styled, type Trace, thinned } from './theme';

/** Largest output in bytes, counted as the notebook file stores it. */
const MAX_BYTES = 100_000;

/** A plot of the same content has the same id in every run: committed outputs change only with their content. */
const drawn = new Map<string, number>();
function newId(traces: Trace[], layout: Layout): string {
  const hash = contentId(traces, layout).slice(0, 12);
  const count = (drawn.get(hash) ?? 0) + 1;
  drawn.set(hash, count);
  return `figure-${hash}${count > 1 ? `-${count}` : ''}`;
}

/** For the terminal: the title, and what each trace holds. */
function summary(traces: Trace[], title: string): string {
  const parts = traces.map((trace) => {
    const { length } = (trace.x ?? trace.y ?? trace.z ?? []) as ArrayLike<unknown>;
    const name = (trace.name ?? trace.type ?? 'trace').replace(/<[^>]*>/g, ' ');
    return `${unescapeHtml(name)} (${length} values)`;
  });
  return `[figure] ${title}: ${parts.join(', ')}`;
}

/** The figure as a notebook's output, whatever this process is: for `figure`, and for tests. */
export async function renderFigure(traces: Trace[], layout: Layout, { title, caption }: FigureOptions) {
  const full = plain(traces);
  const dressed = styled(layout, title);
  const id = newId(full, dressed);
  for (let step = 1; step <= 64; step *= 2) {
    const some = thinned(full, step);
    const limit = step > 1 ? `One point in ${step} is drawn, to keep the notebook small.` : '';
    const words = { title, caption: [caption, limit].filter(Boolean).join(' ') };
    const html = figureHtml(id, some, dressed, words, await drawStill(some, dressed));
    if (Buffer.byteLength(JSON.stringify(html)) <= MAX_BYTES) return { html, text: summary(traces, title) };
  }
  throw new Error(
    `The figure "${title}" takes more than ${MAX_BYTES / 1000} KB: give it fewer or smaller traces, or shorter texts.`,
  );
}

const content = async (...[traces, layout, options]: Chart): Promise<Content> =>
  inNotebook() ? renderFigure(traces, layout, options) : { html: '', text: summary(traces, options.title) };

/**
 * Shows a Plotly figure: interactive where scripts run (Plotly is loaded once a page, from the Jupyter server), a still
 * picture of the same plot elsewhere (GitHub, nbviewer). In plain Node it prints a line of text. Texts inside traces
 * and layout are read as Plotly's HTML subset: escape what comes from documents (`hoverText`).
 * @throws Error when the output would exceed 100 KB even with one point in 64
 */
export async function figure(traces: Trace[], layout: Layout, options: FigureOptions): Promise<void> {
  show(await content(traces, layout, options));
}

/** The figure's still picture: a complete SVG file, 760 pixels wide, on a transparent background. */
export async function figureSvg(traces: Trace[], layout: Layout, { title }: FigureOptions): Promise<string> {
  return drawStill(plain(traces), styled(layout, title));
}

let liveFigures = 0;

/** Opens a figure that changes while work goes on: one output, redrawn in place. */
export function liveFigure() {
  const id = `live-figure-${process.pid}-${++liveFigures}`;
  const output = liveOutput({ html: '', text: '' });
  return {
    /** Redraws at most 4 times a second; `chart` is called only when it does, so it may be called after every step. */
    update(chart: () => Chart): void {
      output.update(() => {
        const [traces, layout, options] = chart();
        const html = figureHtml(id, plain(traces), styled(layout, options.title), options);
        return { html, text: summary(traces, options.title) };
      });
    },
    /** Draws the last state, with its still picture. */
    async finish(chart: Chart): Promise<void> {
      output.finish(await content(...chart));
    },
  };
}
