// Text with JSON somewhere in it goes in, whole or cut off, with prose around it; the value comes out.

/** No list of questions is nested deeper. */
const DEEPEST = 20;

/**
 * The first JSON object or array in `text` that can be read. If the text ends before it closes, what is complete is
 * kept: a string that was cut is dropped, open brackets are closed.
 * @returns the value, or undefined if there is none.
 */
export function findJson(text: string): unknown {
  // Prose may hold brackets of its own ("[1]", "{see}"), so later openings get their chance; a few are enough.
  let from = 0;
  let neverClosed = 0;
  for (let tries = 0; tries < 20 && neverClosed < 3; tries++) {
    const start = nextOpening(text, from);
    if (start < 0) return undefined;
    const { json, closed } = readSpan(text, start);
    const value = parse(json);
    if (value !== undefined) return value;
    if (!closed) neverClosed++;
    from = start + 1;
  }
  return undefined;
}

/** An opening that can start a JSON object or a list of strings or objects. */
function nextOpening(text: string, from: number): number {
  const opening = /\{\s*"|\[\s*["[{]/g;
  opening.lastIndex = from;
  return opening.exec(text)?.index ?? -1;
}

/** The bracketed text from `start` to where it closes; if it never does, its complete part, closed. */
function readSpan(text: string, start: number): { json: string; closed: boolean } {
  const closers: string[] = [];
  let stringStart = -1;
  for (let i = start; i < text.length && closers.length <= DEEPEST; i++) {
    const c = text[i];
    if (stringStart >= 0) {
      if (c === '\\') i++;
      else if (c === '"') stringStart = -1;
    } else if (c === '"') stringStart = i;
    else if (c === '{') closers.push('}');
    else if (c === '[') closers.push(']');
    else if (c === '}' || c === ']') {
      closers.pop();
      if (closers.length === 0) return { json: text.slice(start, i + 1), closed: true };
    }
  }
  if (closers.length > DEEPEST) return { json: '', closed: false };
  const complete = trimSeparators(text.slice(start, stringStart >= 0 ? stringStart : text.length));
  // A key whose value never came is short: only the end is searched, since answers can be megabytes long.
  const end = complete.slice(-2000).replace(/,?\s*"(?:[^"\\]|\\.)*"\s*:$/, '');
  return { json: trimSeparators(complete.slice(0, -2000) + end) + closers.reverse().join(''), closed: false };
}

function trimSeparators(json: string): string {
  let trimmed = json.trimEnd();
  while (trimmed.endsWith(',')) trimmed = trimmed.slice(0, -1).trimEnd();
  return trimmed;
}

function parse(json: string): unknown {
  for (const candidate of [json, json.replace(/,(\s*[\]}])/g, '$1')]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // Next: without trailing commas, which models like to leave.
    }
  }
  return undefined;
}
