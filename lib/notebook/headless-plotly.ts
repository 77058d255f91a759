// In: nothing. Out: Plotly inside jsdom, with stand-ins for what a browser measures and paints. Made once a process.
import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
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
  const painted = new WeakMap<HTMLCanvasElement, Uint8ClampedArray>();
  Object.assign(window.Element.prototype, {
    getBBox(this: Element) {
      return ownBox(this);
    },
    getBoundingClientRect(this: Element) {
      return clientBox(this);
    },
  });
  // A canvas that takes pixels and gives them back as a PNG: all that Plotly's heat maps ask for.
  Object.assign(window.HTMLCanvasElement.prototype, {
    getContext(this: HTMLCanvasElement, kind: string) {
      if (kind !== '2d') return null;
      return {
        canvas: this,
        createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }),
        putImageData: (image: ImageData) => painted.set(this, image.data),
      };
    },
    toDataURL(this: HTMLCanvasElement) {
      const pixels = painted.get(this) ?? new Uint8ClampedArray(this.width * this.height * 4);
      return pngDataUrl(pixels, this.width, this.height);
    },
  });
  Object.assign(window, { CSS: { supports: () => true } }); // heat maps as one pixel a cell
  window.eval(readFileSync(require.resolve('plotly.js-dist'), 'utf8'));
  instance = { plotly: (window as unknown as { Plotly: Plotly }).Plotly, document: window.document };
  return instance;
}

/** A chunk of a PNG file (W3C 2003, section 5.3): its length, type and data, and their checksum. */
function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt32BE(data.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), 4 + body.length);
  return frame;
}

/** A PNG file as a data address. `pixels`: [height, width, 4] bytes, red green blue alpha. */
export function pngDataUrl(pixels: Uint8Array | Uint8ClampedArray, width: number, height: number): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits a channel, RGBA
  const lines = Buffer.alloc(height * (1 + width * 4)); // each line starts with filter type 0
  for (let y = 0; y < height; y++)
    lines.set(pixels.subarray(y * width * 4, (y + 1) * width * 4), y * (1 + width * 4) + 1);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const data = deflateSync(lines, { level: 9 });
  const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', data), pngChunk('IEND', Buffer.alloc(0))];
  return `data:image/png;base64,${Buffer.concat([signature, ...chunks]).toString('base64')}`;
}
