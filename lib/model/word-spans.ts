// In: a text. Out: its words as a reader sees them, of how many word pieces each is, and where windows of them stand.
import { UNSPACED } from '../common/text/terms';
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

// Byte pairs and Unigram make white space a part of the word after it, and punctuation of the one before it.
const SPACED_WORDS = /\s*\S+(?:\s+$)?/g;

/**
 * Cuts a text where the tokenizer surely does, in the original's letters: the pieces of all words together, in order,
 * are those of the whole text. BERT's cuts at white space, and around each mark of punctuation (Devlin et al. 2019),
 * others at white space alone. Where no spaces stand between words, each piece is one.
 */
export function wordSpans(tokenizer: Tokenizer, text: string): WordSpan[] {
  const encode = (part: string) => [...tokenizer.encodeWhole(part)];
  const isLikeBert = ['a', '.', 'a'].flatMap(encode).join() === encode('a. a').join();
  const known = new Map<string, number>();
  return [...text.matchAll(isLikeBert ? WORDS : SPACED_WORDS)].flatMap(({ 0: word, index }) => {
    const shown = isLikeBert ? word : word.trim();
    const start = index + word.indexOf(shown);
    if (UNSPACED.test(word)) return spansOfPieces(shown, start, tokenizer.pieces(encode(word)));
    const pieces = known.get(word) ?? encode(word).length;
    known.set(word, pieces);
    return { start, end: start + shown.length, pieces };
  });
}

/** A span a piece; one that the run does not show, as it was unknown or in other letters, goes with the next. */
function spansOfPieces(run: string, start: number, pieces: string[]): WordSpan[] {
  const spans: WordSpan[] = [];
  let [at, count] = [0, 0];
  for (const [i, piece] of pieces.entries()) {
    count++;
    const found = piece.trim() ? run.indexOf(piece.trim(), at) : -1;
    const end = i === pieces.length - 1 ? run.length : found + piece.trim().length;
    if (found < 0 && end < run.length) continue;
    spans.push({ start: start + at, end: start + end, pieces: count });
    [at, count] = [end, 0];
  }
  return spans;
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
