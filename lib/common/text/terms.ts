// In: a text. Out: the terms that keyword search counts: stems of its words and its numbers, without stop words. One
// list and one stemmer a language for all that search by words, so that they agree on what a word is.
import { stemmer } from 'stemmer';
import { deu, eng } from 'stopword';

/** The library's stop words, and English words of questions that it lacks. */
const ENGLISH = new Set([...eng, ...'no not will whom whose when why does its'.split(' ')]);
const GERMAN = new Set(deu);

/** Savoy 2006, "Light Stemming Approaches for the French, Portuguese, German and Hungarian Languages". */
const germanStemmer = (word: string): string =>
  word
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/(?<=...)(?:ern|e[mnrs]?)$|(?<=..[bdfghklmnt])s$/, '')
    .replace(/(?<=...)(?:est|e[nr])$|(?<=..[bdfghklmnt])st$/, '');

/**
 * NFKC. Of a run of combining marks 30 count, as in Unicode's Stream-Safe Text Format (Unicode Standard Annex 15,
 * section 13): normalising takes the square of a run's length.
 */
export const nfkc = (text: string): string => text.replace(/(\p{M}{30})\p{M}+/gu, '$1').normalize('NFKC');

/** NFKC in lower case: what two texts are compared in. */
export const normalise = (text: string): string => nfkc(text).toLowerCase();

/** Scripts without spaces between words: there a dictionary tells words apart, the same for all languages. */
export const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]/u;
const dictionary = new Intl.Segmenter('ja', { granularity: 'word' });
const wordsOf = (run: string): string[] =>
  UNSPACED.test(run) ? Array.from(dictionary.segment(run), ({ segment }) => segment) : [run];

/**
 * Splits at whatever is neither letter nor digit ("U.S." and "1,234.5" lose their points and commas first), drops stop
 * words, and stems (English: Porter, 1980, "An algorithm for suffix stripping").
 * @param language as `languageOf` names it; what is not German is taken for English
 */
export function terms(text: string, language?: string): string[] {
  const isGerman = language === 'German';
  const words = normalise(text)
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .replace(/(?<=\b\p{L})\.(?=\p{L}\b)/gu, '')
    .replace(/['’]s\b/g, '')
    .match(/\p{N}+(?:\.\p{N}+)*|[\p{L}\p{M}\p{N}]+/gu);
  return (words ?? [])
    .flatMap(wordsOf)
    .filter((word) => !(isGerman ? GERMAN : ENGLISH).has(word))
    .map(isGerman ? germanStemmer : stemmer);
}
