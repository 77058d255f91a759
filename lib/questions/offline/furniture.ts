// In: a line or sentence. Out: whether it is what a page carries around its text (contents, exhibit lists, signature
// blocks, table rows), about which nobody asks.

const FURNITURE = [
  /^\W*(page\s*)?\d{1,4}(\s*(of|\/)\s*\d{1,4})?\W*$/i, // page number
  /\.{4,}|(\. ){4,}|…{2,}/, // dot leaders of a contents page
  /\btable of contents\b/i,
  /^\W*(part|item|note|section|chapter)\s+[\dIVX]{1,4}[A-Z]?\b.*\s\d{1,3}\W*$/i, // contents entry
  /\bexhibits?\s+(index|list|number|no\b|description)|\b(filed|furnished) herewith\b/i,
  /\bincorporated (herein )?by reference\b.*\b(exhibit|form|proxy|part)\b/i,
  /\/s\/|\bsignature page\b|\bin witness whereof\b|^\W*signatures?\b\W*$/i,
  /\b(caused|authorized) .{0,60}\bto be signed\b|\bpower of attorney\b|\bhas been signed below\b/i,
  /\bindicate by check ?mark\b|\bexact name of registrant\b|\bcommission file number\b|\(mark one\)/i,
  /\bcertif(y|ication)\b.*\b(sarbanes|section (302|906))/i,
  /\b(see|refer to) (accompanying )?notes? \b|\bthe accompanying notes are an integral part\b/i,
  /\b(this|the) (annual )?report on form \d|\bfor (a )?(further|additional) (discussion|information)/i,
  /\b(tables?|graphs?|charts?) (below|above|that follows)\b|\bthe following (tables?|graphs?|charts?|rows)\b/i,
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
