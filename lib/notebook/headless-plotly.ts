// In: nothing. Out: Plotly inside jsdom, with stand-ins for what a browser measures and paints. Made once a process.
import { clientBox, ownBox, textWidth } from './layout-boxes';
import { plotlySource } from './plotly';
import { pngDataUrl } from './png';

/** The part of Plotly's API used here. */
export interface Plotly {
  newPlot(div: Element, traces: unknown[], layout: unknown, config?: unknown): Promise<unknown>;
  toImage(div: Element, options: unknown): Promise<string>;
  purge(div: Element): void;
}

export interface HeadlessPlotly {
  plotly: Plotly;
  document: Document;
}

/** A canvas that takes pixels and gives them back as a PNG: all that Plotly's heat maps ask for. */
function canvasContext(canvas: HTMLCanvasElement, painted: WeakMap<HTMLCanvasElement, Uint8ClampedArray>): unknown {
  return {
    canvas,
    font: '12px sans-serif',
    measureText: (text: string) => ({ width: textWidth(text, 12) }),
    createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }),
    putImageData: (image: ImageData) => painted.set(canvas, image.data),
    fillText() {},
    fillRect() {},
    clearRect() {},
  };
}

let instance: HeadlessPlotly | undefined;

/** Loads Plotly into a window of its own (about a second the first time, then at hand). */
export function headlessPlotly(): HeadlessPlotly {
  if (instance) return instance;
  // Loaded here, as no other part of the library needs it and it takes its time.
  const { JSDOM, VirtualConsole } = require('jsdom') as typeof import('jsdom');
  const { window } = new JSDOM('<!doctype html><body></body>', {
    runScripts: 'outside-only',
    virtualConsole: new VirtualConsole(),
  });
  const painted = new WeakMap<HTMLCanvasElement, Uint8ClampedArray>();
  const element = window.Element.prototype as unknown as Record<string, unknown>;
  element.getBBox = function (this: Element) {
    return ownBox(this);
  };
  element.getBoundingClientRect = function (this: Element) {
    return clientBox(this);
  };
  element.getComputedTextLength = function (this: Element) {
    return ownBox(this).width;
  };
  const canvas = window.HTMLCanvasElement.prototype as unknown as Record<string, unknown>;
  canvas.getContext = function (this: HTMLCanvasElement, kind: string) {
    return kind === '2d' ? canvasContext(this, painted) : null;
  };
  canvas.toDataURL = function (this: HTMLCanvasElement) {
    const pixels = painted.get(this) ?? new Uint8ClampedArray(this.width * this.height * 4);
    return pngDataUrl(pixels, this.width, this.height);
  };
  Object.assign(window, { CSS: { supports: () => true } }); // heat maps as one pixel a cell
  Object.assign(window.URL, { createObjectURL: () => 'blob:', revokeObjectURL() {} });
  window.eval(plotlySource());
  instance = { plotly: (window as unknown as { Plotly: Plotly }).Plotly, document: window.document };
  return instance;
}
