// In: traces and a layout, complete, as a message to this process (still-process.ts). Out: the plot as SVG text, in a
// fraction of the bytes that Plotly takes.
import { readFileSync } from 'node:fs';
import { JSDOM, VirtualConsole } from 'jsdom';
import { PNG } from 'pngjs';
import { optimize, type PluginConfig } from 'svgo';
import { clientBox, ownBox } from './layout-boxes';
import type { Layout, Trace } from './theme';

/** Width in pixels; the interactive figure is as wide as its cell. */
const WIDTH = 760;

/** A complete SVG file: two runs give the same bytes (Plotly's ids are random, these are numbered). */
async function svgOf(traces: Trace[], layout: Layout): Promise<string> {
  const div = document.createElement('div');
  document.body.append(div);
  try {
    const size = { width: WIDTH, height: layout.height };
    await plotly.newPlot(div, traces, { ...layout, ...size }, { staticPlot: true });
    const holder = document.createElement('div');
    holder.innerHTML = await plotly.toImage(div, { format: 'svg', imageDataOnly: true, ...size });
    const svg = holder.firstElementChild as Element;
    svg.setAttribute('font-family', 'Helvetica, Arial, sans-serif');
    for (const group of svg.querySelectorAll('g.points')) joinDots(group);
    const { XMLSerializer } = document.defaultView as Window & typeof globalThis;
    return optimize(new XMLSerializer().serializeToString(svg), { floatPrecision: 1, plugins: PLUGINS }).data;
  } finally {
    plotly.purge(div);
    div.remove();
  }
}

const PLUGINS: PluginConfig[] = [
  'convertStyleToAttrs',
  { name: 'removeAttrs', params: { attrs: '(class|style|data-.*|pointer-events)' } },
  { name: 'preset-default', params: { overrides: { cleanupNumericValues: { floatPrecision: 2 } } } }, // opacities
  { name: 'cleanupIds', params: { force: true } }, // there is no script
];

/** Plotly's marker circle. */
const CIRCLE = /^M([\d.]+),0A\1,\1 0 1,1 0,-\1A\1,\1 0 0,1 \1,0Z$/;

/** Markers of one trace that look the same: many of them become one path of round dots. */
function joinDots(group: Element): void {
  const points = [...group.children].filter((point) => CIRCLE.test(point.getAttribute('d') ?? '')) as SVGElement[];
  const kinds = Map.groupBy(points, (point) => `${point.getAttribute('d')}|${point.getAttribute('style')}`);
  for (const [first, ...others] of kinds.values()) {
    if (others.length < 60) continue;
    const width = 2 * Number(CIRCLE.exec(first.getAttribute('d') ?? '')?.[1]);
    const places = [first, ...others].map((point) => point.getAttribute('transform')?.replace(/translate\(|\)/g, ''));
    first.removeAttribute('transform');
    first.setAttribute('d', places.map((place) => `M${place}h0`).join(''));
    const { fill, opacity } = first.style;
    first.setAttribute(
      'style',
      `fill: none; stroke: ${fill}; stroke-width: ${width}; stroke-linecap: round; opacity: ${opacity}`,
    );
    for (const point of others) point.remove();
  }
}

/** The part of Plotly's API used here. */
interface Plotly {
  newPlot(div: Element, traces: unknown[], layout: unknown, config?: unknown): Promise<unknown>;
  toImage(div: Element, options: unknown): Promise<string>;
  purge(div: Element): void;
}

/** Loads Plotly into a window of its own: about a second. */
function headlessPlotly(): { plotly: Plotly; document: Document } {
  const virtualConsole = new VirtualConsole();
  const { window } = new JSDOM('<!doctype html><body></body>', { runScripts: 'outside-only', virtualConsole });
  Object.assign(window.Element.prototype, { getBBox: ownBox, getBoundingClientRect: clientBox });
  // A canvas that takes pixels and gives them back as a PNG: all that Plotly's heat maps ask for.
  const painted = new WeakMap<HTMLCanvasElement, PNG>();
  Object.assign(window.HTMLCanvasElement.prototype, {
    getContext(this: HTMLCanvasElement) {
      return {
        createImageData: (width: number, height: number) => new PNG({ width, height }),
        putImageData: (image: PNG) => painted.set(this, image),
      };
    },
    toDataURL(this: HTMLCanvasElement) {
      const png = PNG.sync.write(painted.get(this) as PNG, { filterType: 0, deflateStrategy: 0 });
      return `data:image/png;base64,${png.toString('base64')}`;
    },
  });
  Object.assign(window, { CSS: { supports: () => true } }); // heat maps as one pixel a cell
  window.eval(readFileSync(require.resolve('plotly.js-dist'), 'utf8'));
  return { plotly: (window as unknown as { Plotly: Plotly }).Plotly, document: window.document };
}

const { plotly, document } = headlessPlotly();
process.on('message', async (chart: [Trace[], Layout]) => {
  const svg = await svgOf(...chart);
  process.send!(svg, undefined, undefined, () => {}); // nobody is there to see it: this process ends, too
});
