// In: text with JSON somewhere in it, whole or cut off, with prose around it. Out: the value.

import { jsonrepair } from 'jsonrepair';

/** No list of questions is nested deeper. */
const DEEPEST = 20;
/** Where a JSON object, or a list of strings or objects, can start. */
const OPENING = /\{(?=\s*")|\[(?=\s*["[{])/g;
/** A whole string, or a quotation mark without its counterpart, or a bracket. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|["[\]{}]/gs;

/**
 * The first JSON object or array in `text` that can be read. If the text ends before it closes, what is complete is
 * kept, without the string that was cut; what models do to JSON (commas too many or too few, comments, …) is repaired.
 * @returns the value, or undefined if there is none.
 */
export function findJson(text: string): unknown {
  // Prose may hold brackets of its own ("[1]", "{see}"), so later openings get their chance; a few are enough.
  let tries = 0;
  let neverClosed = 0;
  for (const { index } of text.matchAll(OPENING)) {
    const { json, closed } = spanFrom(text.slice(index));
    const value = parse(json);
    if (value !== undefined) return value;
    if (!closed) neverClosed++;
    if (++tries === 20 || neverClosed === 3) return undefined;
  }
  return undefined;
}

/** The bracketed text that `text` starts with, to where it closes; if it never does, up to the string that was cut. */
function spanFrom(text: string): { json: string; closed: boolean } {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '"') return { json: text.slice(0, index), closed: false };
    if (token === '[' || token === '{') depth++;
    if (token === ']' || token === '}') depth--;
    if (depth === 0) return { json: text.slice(0, index + 1), closed: true };
    if (depth > DEEPEST) return { json: '', closed: false };
  }
  return { json: text, closed: false };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    try {
      return JSON.parse(jsonrepair(json));
    } catch {
      return undefined;
    }
  }
}
