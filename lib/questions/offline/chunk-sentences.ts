// In: a chunk's text. Out: its whole sentences; page furniture, headings and table rows are left out, and so is what is
// too long or has broken words.

import { splitSentences } from '../../common/text/sentences';
import { nfkc } from '../../common/text/terms';
import { tokensOf, type Words } from './words';

// What a page carries around its text (contents, exhibit lists, signature blocks), about which nobody asks.
const FURNITURE = [
  /\bexhibits?\s+(index|list|number|no\b|description)|\b(filed|furnished) herewith\b|\bincorporated by reference\b/i,
  /\/s\/|\bsignature page\b|\bin witness whereof\b|^\W*signatures?\b\W*$/i,
  /\bindicate by check ?mark\b|\bexact name of registrant\b|\bcommission file number\b|\(mark one\)/i,
  /\b(see|refer to) (accompanying )?notes? \b|\bthe accompanying notes are an integral part\b/i,
  /\b(this|the) (annual )?report on form \d|\bfor (a )?(further|additional) (discussion|information)/i,
  /\b(tables?|graphs?|charts?) (below|above|that follows)\b|\bthe following (tables?|graphs?|charts?|rows)\b/i,
  /©|\ball rights reserved\b|https?:\/\/|www\./i,
];
const GLUED_START =
  /(?<=\p{Ll}{3})(?=(The|We|Our|In|If|As|For|This|These|An?|On|Under|Any|To|There|However|Additionally|Each)\s+\p{L})/gu;
const ITEM = /^(•|[-*]\s|\(?[a-z0-9]{1,3}\)\s)\s*/;
const SENTENCE_ENDS = /[.!?:]["')]*$/;

/** The lines of a text, also where extraction lost their ends (`costs.Our results`, `;•our`); '' for blank ones. */
function linesOf(text: string, words: Words): string[] {
  const isWhole = (head: string, tail: string) => words.count(head + tail) > 0 || words.count(tail) < 2;
  return nfkc(text)
    .replace(/[“”„]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\u00ad/g, '')
    .replace(/(?<!\p{L})(\p{L}+)-\n(\p{L}+)/gu, (_, head, tail) => `${head}${isWhole(head, tail) ? '' : '-'}${tail}`)
    .replace(/(?<!\s)\s*[•●▪■◦☐☒]\s*/g, '\n• ')
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
  const words = line.match(/\p{L}+/gu) ?? [];
  if (words.length === 0 || words.length > 14 || /[.,;:!?]$/.test(line) || !/^["(\d]*\p{Lu}/u.test(line)) return false;
  if (previous !== '' && !/[.:;!?)]["')]*$/.test(previous) && words.length > 3) return false;
  const opensNext = /^["(]?\p{Lu}/u.test(next) && line.length < 0.8 * next.length;
  const isApart = (previous === '' || SENTENCE_ENDS.test(previous)) && (next === '' || opensNext);
  if (isApart && words.length > 2) return true;
  const long = words.filter((word) => word.length > 3);
  return long.length > 0 && long.filter((word) => /^\p{Lu}/u.test(word)).length / long.length > 0.6;
}

/** The chunk's sentences, ready to be asked about. */
export function sentencesOf(text: string, words: Words): string[] {
  const found: string[] = [];
  let paragraph: string[] = [];
  let previous = '';
  const flush = (): void => {
    const sentences = splitSentences(paragraph.join(' ').trim().replace(/\s+/g, ' '));
    found.push(...sentences.map((sentence) => sentence.trim()).filter((sentence) => isAskable(sentence, words)));
    paragraph = [];
  };
  const lines = linesOf(text, words);
  for (let [at, line] of lines.entries()) {
    const next = lines[at + 1] ?? '.';
    if (line === '') {
      // Extraction also leaves blank lines inside sentences: only a capital after one opens a paragraph.
      if (/^[^\p{Ll}]/u.test(next)) flush();
      else line = previous;
    } else if (isFurniture(line) || isTableRow(line)) {
      flush();
      line = '';
    } else if (isHeadingLine(line, previous, next)) {
      flush();
    } else {
      if (ITEM.test(line) || SENTENCE_ENDS.test(paragraph.at(-1) ?? '')) flush();
      paragraph.push(line.replace(ITEM, '').replace(/\*\*|__/g, ''));
    }
    previous = line;
  }
  flush();
  return found;
}

function isAskable(sentence: string, words: Words): boolean {
  const tokens = tokensOf(sentence);
  if (!/^["(]?[\p{Lu}\d].*[.;:]["')]*$/u.test(sentence) || tokens.length < 5 || tokens.length > 70) return false;
  if (isFurniture(sentence) || isTableRow(sentence) || tokens.some((token) => words.isBroken(token))) return false;
  if (/[.;:,!?/][.;:!?]|[\p{L})][;!?]\p{L}|,\p{L}|\p{L}[$€£]/u.test(sentence)) return false;
  return tokens.filter((token) => /^\p{Lu}{3,}$/u.test(token)).length <= tokens.length / 3;
}

/** Whether a line or sentence belongs to the page rather than to the text. */
function isFurniture(text: string): boolean {
  return FURNITURE.some((pattern) => pattern.test(text));
}

/** Whether a line is a row of a table: mostly figures, or cells set apart. */
function isTableRow(text: string): boolean {
  if (/^\s*\|.*\|/.test(text) || /\S(\s{3,}|\t)\S.*\S(\s{3,}|\t)\S/.test(text.trim())) return true;
  const figures = text.match(/[$€£]?\s?\(?\d[\d,.]*\)?\s?%?|—|–(?=\s)/g) ?? [];
  const words = text.match(/\p{L}{2,}/gu) ?? [];
  return figures.length >= 2 && figures.length * 3 > words.length;
}
