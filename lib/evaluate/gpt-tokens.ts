// In: a text. Out: its beginning, or its windows, measured in tokens of OpenAI's embedding models (cl100k_base).
import { type WindowSettings, windowRanges } from '../common/windows';
import { encodablePieces } from '../corpus/count-tokens';

/** Loaded when a text is sent to OpenAI: 100,000 tokens take memory that others have better use for. */
const encoding = () =>
  require('gpt-tokenizer/encoding/cl100k_base') as typeof import('gpt-tokenizer/encoding/cl100k_base');

/** Text that spells a special token, such as `<|endoftext|>`, is encoded as the text it is. */
function tokenIds(text: string): number[] {
  const { encode } = encoding();
  return encodablePieces(text).flatMap((piece) => encode(piece, { disallowedSpecial: new Set<string>() }));
}

/** A cut may fall inside a character of several bytes, whose half decodes to U+FFFD. */
function textOf(ids: number[]): string {
  return encoding()
    .decode(ids)
    .replace(/^\uFFFD+|\uFFFD+$/g, '');
}

/** The text, or as much of it as `limit` tokens hold, and its number of tokens. */
export function cutToTokens(text: string, limit: number): { text: string; tokens: number } {
  const ids = tokenIds(text);
  if (ids.length <= limit) return { text, tokens: ids.length };
  return { text: textOf(ids.slice(0, limit)), tokens: limit };
}

/** The texts of a text's windows. */
export function tokenWindows(text: string, { size, stride }: WindowSettings): string[] {
  const ids = tokenIds(text);
  return windowRanges(ids.length, size, stride)
    .map(([start, end]) => textOf(ids.slice(start, end)))
    .filter((window, i) => i === 0 || window.trim() !== '');
}
