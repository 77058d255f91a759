// In: nothing. Out: Plotly inside jsdom, with stand-ins for what a browser measures and paints. Made once a process.
import { readFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { clientBox, ownBox } from './layout-boxes';

/** The part of Plotly's API used here. */
interface Plotly {
  newPlot(div: Element, traces: unknown[], layout: unknown, config?: unknown): Promise<unknown>;
  toImage(div: Element, options: unknown): Promise<string>;
  purge(div: Element): void;
}

let instance: { plotly: Plotly; document: Document } | undefined;

/** Loads Plotly into a window of its own (about a second the first time, then at hand). */
export function headlessPlotly(): { plotly: Plotly; document: Document } {
  if (instance) return instance;
  // Loaded here, as no other part of the library needs it and it takes its time.
  const { JSDOM, VirtualConsole } = require('jsdom') as typeof import('jsdom');
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
  instance = { plotly: (window as unknown as { Plotly: Plotly }).Plotly, document: window.document };
  return instance;
}
