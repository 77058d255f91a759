// In: a text. Out: the terms that keyword search counts: stems of its words and its numbers, without stop words. One
// list and one stemmer a language for all that search by words, so that they agree on what a word is.
import { stemmer } from 'stemmer';
import { deu, eng } from 'stopword';

/** Its stop words, and words of questions that they lack; Porter 1980, "An algorithm for suffix stripping". */
const ENGLISH = {
  stopWords: new Set([...eng, ...'no not will whom whose when why does its'.split(' ')]),
  stem: stemmer,
};
/** Savoy 2006, "Light Stemming Approaches for the French, Portuguese, German and Hungarian Languages". */
const GERMAN = {
  stopWords: new Set(deu),
  stem: (word: string): string =>
    word
      .normalize('NFD')
      .replace(/\p{M}/gu, '')
      .replace(/(?<=...)(?:ern|e[mnrs]?)$|(?<=..[bdfghklmnt])s$/, '')
      .replace(/(?<=...)(?:est|e[nr])$|(?<=..[bdfghklmnt])st$/, ''),
};

/**
 * NFKC. Of a run of combining marks 30 count, as in Unicode's Stream-Safe Text Format (Unicode Standard Annex 15,
 * section 13): normalising takes the square of a run's length.
 */
export const nfkc = (text: string): string => text.replace(/(\p{M}{30})\p{M}+/gu, '$1').normalize('NFKC');

/** NFKC in lower case: what two texts are compared in. */
export const normalise = (text: string): string => nfkc(text).toLowerCase();

/** Scripts without spaces between words: there a dictionary tells words apart, the same for all languages. */
export const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const dictionary = new Intl.Segmenter('ja', { granularity: 'word' });
const wordsOf = (run: string): string[] =>
  UNSPACED.test(run) ? Array.from(dictionary.segment(run), ({ segment }) => segment) : [run];

/**
 * Splits at whatever is neither letter nor digit ("U.S." and "1,234.5" lose their points and commas first), drops stop
 * words, and stems.
 * @param language of the text, as `languageOf` names it; what is not German is taken for English
 */
export function terms(text: string, language?: string): string[] {
  const { stopWords, stem } = language === 'German' ? GERMAN : ENGLISH;
  const words = normalise(text)
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .replace(/(?<=\b\p{L})\.(?=\p{L}\b)/gu, '')
    .replace(/['’]s\b/g, '')
    .match(/\p{N}+(?:\.\p{N}+)*|[\p{L}\p{M}\p{N}]+/gu);
  return (words ?? [])
    .flatMap(wordsOf)
    .filter((word) => !stopWords.has(word))
    .map(stem);
}
