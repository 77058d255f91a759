// In: a text. Out: the terms that keyword search counts: lower-case words and numbers, no stop words, no plural endings.

/** Lucene's English stop words, and the words that questions are made of. */
const STOP_WORDS = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with ' +
    'what which who whom whose when where why how do does did has have had can could would should from its our we you your were been about'
  ).split(' '),
);

/**
 * Splits at whatever is neither letter nor digit ("U.S." and "1,234.5" lose their points and commas first), drops stop
 * words, and takes plural endings away.
 */
export function terms(text: string): string[] {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .replace(/(?<=\b\p{L})\.(?=\p{L}\b)/gu, '')
    .replace(/['’]s\b/g, '')
    .match(/\p{N}+(?:\.\p{N}+)*|[\p{L}\p{M}\p{N}]+/gu);
  return (words ?? []).filter((word) => !STOP_WORDS.has(word)).map(stem);
}

/**
 * The S stemmer (Harman, 1991, "How effective is suffixing?"): ies → y, else s → nothing unless after u or s. Her rule
 * that keeps -aes, -ees and -oes is left out, so that "employees" meets "employee".
 */
export function stem(word: string): string {
  if (word.length < 4) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  return /[^us]s$/.test(word) ? word.slice(0, -1) : word;
}
