// A chart's traces and layout → the same in the house style, as plain JSON, and with fewer points where there are too many.
import { BLUE, GREEN, GREY, ORANGE, PURPLE, SKY_BLUE, VERMILLION } from './colors';
import { escapeHtml } from './escape';
import type { Layout, Trace } from './figure-types';

const GRID = 'rgba(128,128,128,0.25)';
const AXIS = { gridcolor: GRID, zerolinecolor: GRID, linecolor: GREY, automargin: true };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** `over` laid on `base`, object by object. */
function merge(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}

/** The house style: transparent, mid-contrast, colour-blind-safe. */
export function styled(layout: Layout, title: string): Record<string, unknown> {
  const titleText = `<b>${escapeHtml(title)}</b>`;
  const base: Record<string, unknown> = {
    height: 400,
    title: { text: titleText, x: 0.02, xanchor: 'left', y: 0.97, yanchor: 'top', font: { size: 16 } },
    font: { family: 'Helvetica, Arial, sans-serif', size: 12, color: GREY },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    colorway: [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE],
    margin: { l: 60, r: 30, t: 60, b: 50 },
    legend: { orientation: 'h', x: 0, y: 1.02, xanchor: 'left', yanchor: 'bottom', bgcolor: 'rgba(0,0,0,0)' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: GREY, activecolor: BLUE },
    xaxis: {},
    yaxis: {},
  };
  const merged = merge(base, layout);
  for (const key of Object.keys(merged)) {
    if (/^[xy]axis\d*$/.test(key)) merged[key] = merge(AXIS, merged[key] as Record<string, unknown>);
  }
  return merged;
}

/** Plain JSON values: typed arrays as arrays, numbers to 5 digits. */
export function plain(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
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
