// In: a chart's traces and layout. Out: the same in the house style, as plain JSON, thinned where points are too many.
import { escapeHtml } from './escape';

/** One Plotly trace: https://plotly.com/javascript/reference/ lists the attributes of each type. */
export interface Trace {
  type?: 'scatter' | 'bar' | 'heatmap' | 'histogram' | 'box' | 'violin';
  name?: string;
  [attribute: string]: unknown;
}

/** A Plotly layout: https://plotly.com/javascript/reference/layout/ */
export interface Layout {
  /** Pixels; 400 where not given. */
  height?: number;
  [attribute: string]: unknown;
}

/** What stands around the plot. */
export interface FigureOptions {
  /** Shown above the plot and read out by screen readers. */
  title: string;
  /** A sentence below the plot: how to read it. */
  caption?: string;
}

/** A chart's traces, layout and words, in the order `figure` takes them: `await figure(...metricBars(rows))`. */
export type Chart = [traces: Trace[], layout: Layout, options: FigureOptions];

// Okabe & Ito, "Color Universal Design" (2008): told apart with every kind of colour blindness. Black and yellow are
// left out: one vanishes in the dark theme, the other in the light one.
export const BLUE = '#0072B2';
export const VERMILLION = '#D55E00';
const GREEN = '#009E73';
const PURPLE = '#CC79A7';
const ORANGE = '#E69F00';
export const SKY_BLUE = '#56B4E9';
/** Readable on white (4.5:1) and on JupyterLab's dark background (4.2:1) alike. */
export const GREY = '#777777';

const FAMILIES: [RegExp, string][] = [
  [/\+ bm25/i, VERMILLION],
  [/fine-?tuned, windows/i, ORANGE],
  [/base, windows/i, SKY_BLUE],
  [/fine-?tuned/i, VERMILLION],
  [/bm25/i, GREEN],
  [/openai|^text-embedding-/i, PURPLE],
  [/^base\b|untrained/i, BLUE],
];

/**
 * The colour of a model, the same in every figure: base blue, fine-tuned vermillion (searched by windows: their lighter
 * kin), with keywords vermillion too, OpenAI purple, BM25 green; others keep one by their name.
 */
export function modelColor(name: string): string {
  const family = FAMILIES.find(([pattern]) => pattern.test(name));
  return family?.[1] ?? [ORANGE, SKY_BLUE][name.length % 2];
}

const GRID = 'rgba(128,128,128,0.25)';
const AXIS = { gridcolor: GRID, zerolinecolor: GRID, linecolor: GREY, automargin: true };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Plain JSON values: typed arrays as arrays, numbers to 5 digits, those that are not finite as null. */
export function plain<T>(value: T): T {
  const reduced = (_: string, item: unknown) => {
    if (typeof item === 'number') return Number(item.toPrecision(5));
    return ArrayBuffer.isView(item) ? Array.from(item as Float32Array) : item;
  };
  return JSON.parse(JSON.stringify(value, reduced));
}

/** The house style: transparent, mid-contrast, colour-blind-safe. As plain JSON. */
export function styled(layout: Layout, title: string): Layout {
  const text = `<b>${escapeHtml(title)}</b>`;
  const base: Layout = {
    height: 400,
    title: { text, x: 0.02, xanchor: 'left', y: 0.97, yanchor: 'top', font: { size: 16 } },
    font: { family: 'Helvetica, Arial, sans-serif', size: 12, color: GREY },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    colorway: [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE],
    margin: { l: 60, r: 30, t: 60, b: 50 },
    legend: { orientation: 'h', x: 0, y: 1.02, xanchor: 'left', yanchor: 'bottom', bgcolor: 'rgba(0,0,0,0)' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: GREY, activecolor: BLUE },
  };
  for (const [key, value] of Object.entries({ xaxis: {}, yaxis: {}, ...layout })) {
    const below = /^[xy]axis\d*$/.test(key) ? AXIS : (base[key] as object);
    base[key] = isObject(value) ? { ...below, ...value } : value;
  }
  return plain(base);
}

/** Every `step`-th point of the traces that have many; their first and last stay. */
export function thinned(traces: Trace[], step: number): Trace[] {
  return traces.map((trace) => {
    const length = Array.isArray(trace.x) ? trace.x.length : 0;
    if (step === 1 || length < 50 || trace.type === 'heatmap') return trace;
    const keep = (value: unknown): unknown => {
      if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keep(item)]));
      if (!Array.isArray(value) || value.length !== length) return value;
      return value.filter((_, i) => i % step === 0 || i === length - 1);
    };
    return keep(trace) as Trace;
  });
}
