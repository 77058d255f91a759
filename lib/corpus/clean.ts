// In: the raw lines of a PDF's pages. Out: readable text: words broken at line ends are whole again, lines are joined
// into paragraphs (an empty line between two), and a table keeps its rows, one a line, cells separated by a tab.

const BULLET = /^[•▪●○◦‣∙·■□➢–-]\s+(?=\S)/;
const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
/** Part of the width of a page's long lines from which on a line counts as full, so that the next one continues it. */
const FULL = 0.75;

/** How often each word occurs in a document: what decides whether `fore-` + `cast` is one word or two. */
export function countWords(texts: string[]): Map<string, number> {
  const words = new Map<string, number>();
  for (const text of texts)
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)*(?!-\n)/gu))
      words.set(word, (words.get(word) ?? 0) + 1);
  return words;
}

/**
 * Joins two lines. A hyphen at the end of the first goes only if the document writes the whole word elsewhere, more
 * often than the hyphenated one: `forward-` + `looking` stays `forward-looking`.
 */
export function joinLines(first: string, second: string, words: Map<string, number>): string {
  if (first.endsWith('\u00ad')) return first.slice(0, -1) + second;
  const left = first.endsWith('-') ? /(?<![\p{L}\p{M}])([\p{L}\p{M}]+)-$/u.exec(first)?.[1] : undefined;
  const right = /^[\p{L}\p{M}]+/u.exec(second)?.[0];
  if (left && right) {
    // A suspended hyphen, as in "short- and long-term".
    if (/^(?:and|or|to|und|oder|et|ou|y|o)$/.test(right)) return `${first} ${second}`;
    const whole = words.get((left + right).toLowerCase()) ?? 0;
    const hyphenated = words.get(`${left}-${right}`.toLowerCase()) ?? 0;
    return whole > hyphenated ? first.slice(0, -1) + second : first + second;
  }
  if (/\d-$/.test(first) && /^[\p{L}\d]/u.test(second)) return first + second;
  return CJK.test(first.slice(-1)) && CJK.test(second[0]) ? first + second : `${first} ${second}`;
}

/** Two figures or more at a line's end; some PDFs set the cells of a table one space apart. */
const FIGURES = /(?:\s[($€£¥+−-]{0,3}(?:\d(?:[\d.,]*\d)?%?\)?|[—–-])){2}$/;

/** A line of a table has cells that are short, or that hold no letters; elsewhere a tab is only a wide space. */
function isRow(line: string): boolean {
  const cells = line.split('\t');
  if (cells.length < 2) return FIGURES.test(line);
  if (cells.some((cell) => !/\p{L}/u.test(cell))) return true;
  return line.split(/\s+/).length / cells.length <= 6;
}

/** Short, begins like a title and does not end like a sentence: the last line of a paragraph does. */
function isHeading(line: string, width: number): boolean {
  return line.length < 0.6 * width && /^[\p{Lu}\d]/u.test(line) && !/[.,;:!?)"”’]$/.test(line);
}

function cleanLine(raw: string): string {
  const line = raw
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200b\ufeff\ufffe\uffff]/g, '')
    .replace(/[^\S\t]+/g, ' ')
    .replace(/ ?\t\s*/g, '\t')
    .trim();
  const text = BULLET.test(line) ? line.replace(BULLET, '• ').replace(/\t/g, ' ') : line;
  if (!isRow(text)) return text.replace(/\t/g, ' ');
  // Typesetters give currency and percent signs, and closing parentheses, cells of their own.
  return text.replace(/(^|\t)([$€£¥])\t/g, '$1$2').replace(/\t([%)]+)(?=\t|$)/g, '$1');
}

/** Cleans the lines of one page; `words` are those of the whole document, from {@link countWords}. */
export function cleanPage(raw: string, words: Map<string, number>): string {
  const lines = raw.split(/\r?\n/).map(cleanLine).filter(Boolean);
  const widths = lines
    .filter((line) => !isRow(line))
    .map((line) => line.length)
    .sort((a, b) => a - b);
  const width = widths[Math.floor(widths.length * 0.9)] ?? 0;
  const continues = (line: string, next: string) => {
    if (isRow(line) || isRow(next) || BULLET.test(next)) return false;
    if (/[.!?:]["”’)]?$/.test(line) && isHeading(next, width)) return false;
    if (line.length >= FULL * width && width >= 30) return true;
    return /^\p{Ll}/u.test(next) && !/[.:;!?]$/.test(line) && line.length >= 20;
  };
  const withGap = (line: string, next: string) => {
    if (continues(line, next)) return joinLines(line, next, words).slice(0, -next.length);
    return line + (isRow(line) && isRow(next) ? '\n' : '\n\n');
  };
  return lines.map((line, i) => (i + 1 < lines.length ? withGap(line, lines[i + 1]) : line)).join('');
}
