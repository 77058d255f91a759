// In: a text. Out: its words as a reader sees them, of how many word pieces each is, and where windows of them stand.
import { type WindowSettings, windowRanges } from '../common/windows';
import type { Tokenizer } from './tokenizer';

/** A word or a mark of punctuation: `text.slice(start, end)`, which the model reads as so many word pieces. */
export interface WordSpan {
  start: number;
  end: number;
  pieces: number;
}

const PUNCTUATION = String.raw`\p{P}\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E`;
// White space without what BERT removes rather than splits at: \v, \f and the byte order mark.
const WORDS = new RegExp(String.raw`[${PUNCTUATION}]|(?:[^\s${PUNCTUATION}]|[\v\f\uFEFF])+`, 'gu');

/**
 * Cuts a text where BERT's tokenizers do (Devlin et al. 2019: at white space, and around each mark of punctuation), in
 * the original's letters: the pieces of all words together, in order, are those of the whole text.
 */
export function wordSpans(tokenizer: Tokenizer, text: string): WordSpan[] {
  const known = new Map<string, number>();
  return [...text.matchAll(WORDS)].map(({ 0: word, index }) => {
    const pieces = known.get(word) ?? tokenizer.encodeWhole(word).length;
    known.set(word, pieces);
    return { start: index, end: index + word.length, pieces };
  });
}

/** Where each window of a text starts and ends in it, in characters. */
export function windowPlaces(
  tokenizer: Tokenizer,
  text: string,
  { size, stride }: WindowSettings,
): [start: number, end: number][] {
  const pieces = wordSpans(tokenizer, text).flatMap((word) => Array<typeof word>(word.pieces).fill(word));
  return windowRanges(pieces.length, size, stride).map(([start, end]) => [
    pieces[start]?.start ?? 0,
    pieces[end - 1]?.end ?? text.length,
  ]);
}
