// In: nothing. Out: where Plotly comes from: the installed file (for still pictures), its addresses in a page.
import { readFileSync } from 'node:fs';

/** Plotly's file below the Jupyter server's root, which is the project's folder. */
export const PLOTLY_PATH = 'node_modules/plotly.js-dist/plotly.js';

/** The same file, byte for byte, from a CDN: the last resort of a page without a Jupyter server. */
export const PLOTLY_CDN = 'https://cdn.jsdelivr.net/npm/plotly.js-dist@4.1.1/plotly.js';

/** Subresource integrity of that file; a test holds it against the installed package. */
export const PLOTLY_INTEGRITY = 'sha384-WQ1AwRTh1OMvkqdtW61RUvQ1VIvyOYAvC4bPxQnFwwyq15kpo+WXIhzrGljgSdeT';

/** The installed Plotly's source. */
export function plotlySource(): string {
  return readFileSync(require.resolve('plotly.js-dist'), 'utf8');
}
