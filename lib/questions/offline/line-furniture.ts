// A line or sentence goes in; out comes whether it is page furniture: what a page carries around its text
// (running heads, page numbers, contents, exhibit lists, signature blocks, table rows), about which nobody asks.

const FURNITURE = [
  /^\W*(page\s*)?\d{1,4}(\s*(of|\/)\s*\d{1,4})?\W*$/i, // page number
  /^\W*(page\s+)?[ivxlc]{1,6}\W*$/i, // page number, Roman
  /\.{4,}|(\. ){4,}|…{2,}/, // dot leaders of a contents page
  /\btable of contents\b/i,
  /^\W*(part|item|note|section|chapter)\s+[\dIVX]{1,4}[A-Z]?\b.*\s\d{1,3}\W*$/i, // contents entry
  /^\W*exhibit\s+(index|number|no\b|description)|\bfiled herewith\b|\bfurnished herewith\b/i,
  /\bincorporated (herein )?by reference\b.*\b(exhibit|form|proxy|part)\b|\bexhibits? (index|list)/i,
  /\/s\/|\bsignature page\b|\bin witness whereof\b|^\W*signatures?\b\W*$/i,
  /\b(caused|authorized) .{0,60}\bto be signed\b|\bpower of attorney\b|\bhas been signed below\b/i,
  /\bindicate by check ?mark\b|\bexact name of registrant\b|\bcommission file number\b|\(mark one\)/i,
  /\bcertif(y|ication)\b.*\b(sarbanes|section (302|906))/i,
  /\b(see|refer to) (accompanying )?notes to\b|\bthe accompanying notes are an integral part\b/i,
  /\b(this|the) (annual )?report on form \d|\bfor (a )?(further|additional) (discussion|information)/i,
  /\b(tables?|graphs?|charts?) (below|above|that follows)\b|\bthe following (tables?|graphs?|charts?)\b/i,
  /©|\ball rights reserved\b|https?:\/\/|www\./i,
];

/** Whether a line or sentence belongs to the page rather than to the text. */
export function isFurniture(text: string): boolean {
  return FURNITURE.some((pattern) => pattern.test(text));
}

/** Whether a line is a row of a table: mostly figures, or cells set apart. */
export function isTableRow(text: string): boolean {
  if (/^\s*\|.*\|/.test(text) || /\S(\s{3,}|\t)\S.*\S(\s{3,}|\t)\S/.test(text.trim())) return true;
  const figures = text.match(/[$€£]?\s?\(?\d[\d,.]*\)?\s?%?|—|–(?=\s)/g) ?? [];
  const words = text.match(/\p{L}{2,}/gu) ?? [];
  return figures.length >= 2 && figures.length * 3 > words.length;
}

/** A line with its figures blanked, so that running heads with page numbers compare equal. */
export function lineKey(line: string): string {
  return line
    .toLowerCase()
    .replace(/\d+/g, '#')
    .replace(/[^\p{L}#]+/gu, ' ')
    .trim();
}

/** The lines that too many chunks share to be about any one of them. */
export function repeatedLines(chunksAsLines: string[][]): Set<string> {
  const chunksWith = new Map<string, number>();
  for (const lines of chunksAsLines)
    for (const key of new Set(lines.filter(Boolean).map(lineKey))) chunksWith.set(key, (chunksWith.get(key) ?? 0) + 1);
  const limit = Math.max(3, Math.ceil(chunksAsLines.length / 100));
  return new Set([...chunksWith].filter(([, count]) => count >= limit).map(([key]) => key));
}
