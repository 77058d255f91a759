// In: a model's raw answer. Out: the questions in it, and what was left aside and why.
import { jsonrepair } from 'jsonrepair';

/** Characters of a model that rambles; repairing JSON takes more than linear time. */
const LONGEST_ANSWER = 100_000;
/** No list of questions is nested deeper. */
const DEEPEST = 20;
/** Where a JSON object, or a list of strings or objects, can start. */
const OPENING = /\{(?=\s*")|\[(?=\s*["[{])/g;
/** A whole string, or a quotation mark without its counterpart, or a bracket. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|["[\]{}]/gs;

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
  const text = withoutThoughts(raw).slice(0, LONGEST_ANSWER);
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
    const question = cleaned(candidate);
    const key = question.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '');
    if (key === '') continue;
    if (seen.has(key)) drop('repeated in the answer');
    else if (REFUSAL.test(question)) drop('refusal');
    else if (questions.length === wanted) drop('more than asked for');
    else questions.push(question);
    seen.add(key);
  }
  if (questions.length > 0) return { questions, dropped, outcome: 'questions' };
  const nothing = /^(\[\]|\{("\w+":\[\])?\})?$/.test(text.replace(/\s+/g, ''));
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
  // Prose may hold brackets of its own ('["quoted" text]'), so later openings get their chance; a few are enough.
  let tries = 0;
  for (const { index } of text.matchAll(OPENING)) {
    const value = parse(spanFrom(text.slice(index)));
    if (value !== undefined) return value;
    if (++tries === 5) return undefined;
  }
  return undefined;
}

/** The bracketed text that `text` starts with, to where it closes; if it never does, up to the string that was cut. */
function spanFrom(text: string): string {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '"') return text.slice(0, index);
    if (token === '[' || token === '{') depth++;
    if (token === ']' || token === '}') depth--;
    if (depth === 0) return text.slice(0, index + 1);
    if (depth > DEEPEST) return '';
  }
  return text;
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
const MARKER = /^(?:[-*•–—] |\(?\d{1,3}[.):](?=[ \p{L}"“*]) ?|\*{0,2}Q(?:uestion)? ?\d{0,3} ?[.):]\*{0,2} ?){1,3}/iu;
const REFUSAL = /^(?:i['’]m |i am |i |we )?(?:sorry|can['’]?t|can ?not|unable|apologi[sz]e)\b|^as an ai\b/i;
const ASKS = /[?？؟]["'”’»)*`,]*$/;

const onOneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Plain text: the marked lines if the answer is a list, else the lines that end in a question mark. */
function questionLines(text: string): string[] {
  const lines = text.split(/\r?\n|(?<=[?？])\s+(?=\(?\d{1,3}[.)]\s)/).map((line) =>
    onOneLine(line)
      .replace(/^[#> ]+/, '')
      .replace(/^\*\*(?=\W*(?:\d|Q))/i, ''),
  );
  // Keywords, claims and "Describe …" have no question mark; a single word is a heading.
  const marked = lines.filter((line) => MARKER.test(line) && (ASKS.test(line) || cleaned(line).includes(' ')));
  return marked.length > 0 ? marked : lines.filter((line) => ASKS.test(line));
}

/** A question without list markers, quotation marks and emphasis around it. */
function cleaned(candidate: string): string {
  return onOneLine(candidate)
    .replace(MARKER, '')
    .replace(/^[*"'“‘«`]+/, '')
    .replace(/(?<![*"'”’»`,])[*"'”’»`,]+$/, '')
    .trim();
}
