// A chunk's text goes in; out come its lines, mended, and its sentences with the heading each stands under, page
// furniture and table rows left out; sentences with broken words are marked as fragments.
import { isFurniture, isTableRow, lineKey } from './line-furniture';
import { tokensOf, type Words } from './words';

/** A sentence (or heading) that a question may be made from. */
export interface Sentence {
  text: string;
  /** The nearest heading above it in the chunk; empty where there is none. */
  heading: string;
  isHeading: boolean;
  /** A list item, an over-long sentence or one with a broken word: only its phrases are used. */
  isFragment: boolean;
}

const SENTENCE_END = /(?<=[.!?]["')\]]*)\s+(?=["'(]?[\p{Lu}\d])/u;
const ABBREVIATION =
  /(\b(Inc|Corp|Ltd|Co|No|Nos|Mr|Mrs|Ms|Dr|St|vs|approx|e\.g|i\.e|etc|Jr|Sr|[A-Z])\.|\b([A-Z]\.)+)["')]*$/;

const GLUED_START =
  /(?<=\p{Ll}{3})(?=(The|We|Our|In|If|As|For|This|These|An?|On|Under|Any|To|There|However|Additionally|Each)\s+\p{L})/gu;

/** Straight quotes, plain spaces, one form of each letter. */
export function plainText(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[“”„]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\u00ad/g, '')
    .replace(/[^\S\n]+$/gm, '');
}

/** The lines of a text, also where extraction lost the line ends (`operations.Our results`, `;•our`); one '' for blank lines. */
export function linesOf(text: string): string[] {
  return plainText(text)
    .replace(/\s*[•●▪■◦☐☒]\s*/g, '\n• ')
    .replace(
      /(?<=(\p{Ll}{2}|\d{2}|\))[.;:!?]["')]?|\p{Ll}["')]?\))(?=["(]?\p{Lu}\p{Ll}|\d{1,2}\.\d?\p{Lu}\p{Ll})/gu,
      '\n',
    )
    .replace(GLUED_START, '\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line, at, lines) => line !== '' || (at > 0 && lines[at - 1] !== ''));
}

// Title case, or a short line that stands apart: extraction leaves a heading no other mark.
function isHeadingLine(line: string, previous: string, next: string): boolean {
  if (/^#{1,6}\s/.test(line)) return true;
  const words = line.match(/\p{L}+/gu) ?? [];
  if (words.length === 0 || words.length > 14 || /[.,;:!?]$/.test(line) || !/^["(\d]*\p{Lu}/u.test(line)) return false;
  if (previous !== '' && !/[.:;!?)]["')]*$/.test(previous) && words.length > 3) return false;
  const opensNext = /^["(]?\p{Lu}/u.test(next);
  const isApart =
    (previous === '' || /[.!?]["')]*$/.test(previous)) &&
    (next === '' || (opensNext && line.length < 0.8 * next.length));
  if (isApart && words.length > 2) return true;
  const long = words.filter((word) => word.length > 3);
  return long.length > 0 && long.filter((word) => /^\p{Lu}/u.test(word)).length / long.length > 0.6;
}

/** The chunk's sentences, ready to be asked about. `repeated` holds the keys of running heads. */
export function sentencesOf(text: string, words: Words, repeated: Set<string>): Sentence[] {
  const found: Sentence[] = [];
  let heading = '';
  let paragraph = '';
  let isItem = false;
  let previous = '';
  const flush = (): void => {
    for (const text of splitSentences(mendAll(paragraph, words)))
      if (isAskable(text, repeated))
        found.push({ text, heading, isHeading: false, isFragment: isItem || !isWhole(text, words) });
    paragraph = '';
    isItem = false;
  };
  const lines = linesOf(text);
  for (let [at, line] of lines.entries()) {
    const next = lines[at + 1] ?? '.';
    if (line === '') {
      // Extraction also leaves blank lines inside sentences: only a capital after one opens a paragraph.
      if (/^[^\p{Ll}]/u.test(next)) flush();
      else line = previous;
    } else if (isFurniture(line) || isTableRow(line) || repeated.has(lineKey(line))) {
      flush();
      line = '';
    } else if (isHeadingLine(line, previous, next)) {
      flush();
      const title = mendAll(line.replace(/^[#\s]+|^(item|note)?\s*[\dA-Z]{1,3}[.)]\s+/i, ''), words);
      const sound =
        (title.match(/\p{L}{2,}/gu) ?? []).length > 1 &&
        !/\b(exhibit|appendix|heading)\b|\d\.\d/i.test(title) &&
        !tokensOf(title).some((token) => words.isBroken(token));
      // Above rows of figures stand the heads of a table.
      heading = sound && !isTableRow(next) ? title : '';
      if (sound) found.push({ text: title, heading, isHeading: true, isFragment: true });
    } else {
      const startsItem = /^(•|[-*]\s|\(?[a-z0-9]{1,3}\)\s)/.test(line);
      if (startsItem || /[.!?:]["')]*$/.test(paragraph)) flush();
      if (startsItem) isItem = true;
      const piece = line.replace(/^(•|[-*]\s)\s*/, '').replace(/\*\*|__/g, '');
      paragraph = /\p{L}-$/u.test(paragraph) ? joinHyphen(paragraph, piece, words) : `${paragraph} ${piece}`;
    }
    previous = line;
  }
  flush();
  return found;
}

function joinHyphen(before: string, after: string, words: Words): string {
  const head = before.match(/\p{L}+(?=-$)/u)?.[0] ?? '';
  const tail = after.match(/^\p{L}+/u)?.[0] ?? '';
  const whole = words.count((head + tail).toLowerCase()) > 0 || !words.isFamiliar(tail);
  return (whole ? before.slice(0, -1) : before) + after;
}

function mendAll(text: string, words: Words): string {
  return text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/(\p{L}+)- (\p{L}+)/gu, (cut, head: string, tail: string) =>
      words.count((head + tail).toLowerCase()) > 0 ? head + tail : cut,
    )
    .replace(/\p{L}{5,}/gu, (token) => words.mend(token) ?? token);
}

function splitSentences(paragraph: string): string[] {
  const sentences: string[] = [];
  for (const piece of paragraph.split(SENTENCE_END)) {
    const last = sentences.at(-1);
    if (last !== undefined && ABBREVIATION.test(last)) sentences[sentences.length - 1] = `${last} ${piece}`;
    else if (piece) sentences.push(piece);
  }
  return sentences;
}

function isAskable(sentence: string, repeated: Set<string>): boolean {
  const tokens = tokensOf(sentence);
  if (tokens.length < 5 || isFurniture(sentence) || isTableRow(sentence) || repeated.has(lineKey(sentence)))
    return false;
  return tokens.filter((token) => /^\p{Lu}{3,}$/u.test(token)).length <= tokens.length / 3;
}

function isWhole(sentence: string, words: Words): boolean {
  const tokens = tokensOf(sentence);
  if (tokens.length > 70 || /[.;:,!?/][.;:!?]|[\p{L})][;!?]\p{L}|,\p{L}|\p{L}[$€£]/u.test(sentence)) return false;
  return !tokens.some((token) => words.isBroken(token));
}
