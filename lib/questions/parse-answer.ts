// In: a model's raw answer. Out: the questions in it, and what was left aside and why.
import { jsonrepair } from 'jsonrepair';

/** No list of questions is nested deeper. */
const DEEPEST = 20;
/** Where a JSON object, or a list of strings or objects, can start. */
const OPENING = /\{(?=\s*")|\[(?=\s*["[{])/g;
/** A whole string, or a quotation mark without its counterpart, or a bracket. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|["[\]{}]/gs;

/** Longer than this, in characters, it is no exam question but the model rambling. */
const LONGEST_QUESTION = 600;

export interface ParsedAnswer {
  /** At most the number asked for, distinct, in the answer's order. */
  questions: string[];
  /** Questions left aside, by reason. */
  dropped: Record<string, number>;
  /** `empty`: no text, or a list without questions; `unparsable`: text without a question that could be read. */
  outcome: 'questions' | 'empty' | 'unparsable';
}

/**
 * Reads questions out of whatever a model answered: JSON (also with prose around it, fenced, or cut off), numbered
 * lists, bullets, or one question a line.
 * @param wanted How many questions were asked for; more are left aside.
 */
export function parseAnswer(raw: string, wanted: number): ParsedAnswer {
  const text = withoutThoughts(raw);
  const json = findJson(text);
  let found = json === undefined ? [] : questionsIn(json);
  if (found.length === 0) found = questionLines(text);

  const questions: string[] = [];
  const dropped: Record<string, number> = {};
  const seen = new Set<string>();
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1;
  };
  for (const candidate of found) {
    const question = unquote(candidate.replace(/\s+/g, ' ').trim().replace(MARKER, ''));
    const key = question.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
    if (key === '') continue;
    if (seen.has(key)) drop('repeated in the answer');
    else if (REFUSAL.test(question)) drop('refusal');
    else if (question.length > LONGEST_QUESTION) drop(`longer than ${LONGEST_QUESTION} characters`);
    else if (questions.length === wanted) drop('more than asked for');
    else questions.push(question);
    seen.add(key);
  }
  if (questions.length > 0) return { questions, dropped, outcome: 'questions' };
  const nothing = text === '' || /^(?:\[\s*\]|\{\s*("questions"\s*:\s*\[\s*\]\s*)?\})$/.test(text);
  return { questions, dropped, outcome: nothing ? 'empty' : 'unparsable' };
}

/** Up to the last thought; some servers leave out the opening tag, gpt-oss opens a channel for the answer. */
const THOUGHTS = /^[\s\S]*(?:<\/think(?:ing)?>|<\|channel\|>final<\|message\|>)|^\s*<think(?:ing)?>[\s\S]*$/;

/** The answer of a model that thinks aloud first. */
export function withoutThoughts(raw: string): string {
  return raw.replace(THOUGHTS, '').trim();
}

/**
 * The first JSON object or array in `text` that can be read. If the text ends before it closes, what is complete is
 * kept, without the string that was cut; what models do to JSON (commas too many or too few, comments, …) is repaired.
 * @returns the value, or undefined if there is none.
 */
function findJson(text: string): unknown {
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
    return JSON.parse(jsonrepair(json));
  } catch {
    return undefined;
  }
}

/** The strings of a JSON answer that are questions: list items, and values whose key says so. */
function questionsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return /^\s*\{/.test(value) ? questionsIn(parse(value), depth + 1) : [value];
  if (typeof value !== 'object' || value === null || depth > 5) return [];
  if (Array.isArray(value)) return value.flatMap((item) => questionsIn(item, depth + 1));
  // {"queries": [...]}, {"question": "…"}, {"Q1": "…"}, a tool's {"arguments": {…}}; other keys (answers, evidence,
  // thoughts) are not questions.
  const named = Object.entries(value).filter(([key]) => /quest|quer|^arguments|^parameters|^q\W*\d*$|^\d+$/i.test(key));
  return named.flatMap(([, inner]) => questionsIn(inner, depth + 1));
}

// A number needs a space or a letter behind it: "3.5 million" is no list item.
const MARKER = /^(?:[-*•–—]\s+|\(?\d{1,3}[.):](?=[\s\p{L}"“*])\s*|\*{0,2}Q(?:uestion)?\s*\d{0,3}\s*[.):]\*{0,2}\s*)+/iu;
const REFUSAL = /^(?:i['’]m |i am |i |we )?(?:sorry|can['’]?t|can ?not|unable|apologi[sz]e)\b|^as an ai\b/i;

/** Plain text: the marked lines if the answer is a list, else the lines that end in a question mark. */
function questionLines(text: string): string[] {
  const marked: string[] = [];
  const asking: string[] = [];
  for (const rawLine of text.split(/\r?\n|(?<=[?？])\s+(?=\(?\d{1,3}[.)]\s)/)) {
    if (rawLine.length > 2 * LONGEST_QUESTION) continue;
    const line = rawLine
      .trim()
      .replace(/^[#>\s]+/, '')
      .replace(/^\*\*(?=\W*(?:\d|Q))/i, '');
    const body = unquote(line.replace(MARKER, ''));
    if (body === '' || REFUSAL.test(body) || /^(?:answer|a)\s*\d*\s*:/i.test(body)) continue;
    const asks = /[?？؟]["'”’»)*]*$/.test(body);
    if (asks) asking.push(body);
    // Keywords, claims and "Describe …" have no question mark; a single word is a heading.
    if (MARKER.test(line) && (asks || /\s/.test(body))) marked.push(body);
  }
  return marked.length > 0 ? marked : asking;
}

function unquote(line: string): string {
  return line
    .trim()
    .replace(/^(?:\*\*|["'“‘«`])+/, '')
    .replace(/(?:\*\*|["'”’»`,])+$/, '')
    .trim();
}
