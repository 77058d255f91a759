// In: a text. Out: its tokens as OpenAI's models have them: how many, its beginning, or its windows.
import { type WindowSettings, windowRanges } from '../windows';

const LONG_RUN = /\S{256}(?=\S)|\s{256}(?=\s)/gu;

/** A text in pieces that an encoder reads in time: merging pairs takes the square of a word's or a gap's length. */
function encodablePieces(text: string): string[] {
  return text.replaceAll('\0', ' ').replace(LONG_RUN, '$&\0').split('\0');
}

/**
 * Tokens of the byte-pair encoding of GPT-2 and GPT-3 (r50k_base), which LlamaIndex counted chunks with. Text that
 * spells a special token, such as `<|endoftext|>`, is counted as the text it is.
 */
export function countTokens(text: string): number {
  const pieces = encodablePieces(text);
  // Loaded here: its 50,000 tokens take memory that training has better use for.
  const { countTokens: count } =
    require('gpt-tokenizer/encoding/r50k_base') as typeof import('gpt-tokenizer/encoding/r50k_base');
  return pieces.reduce((sum, piece) => sum + count(piece, { disallowedSpecial: new Set<string>() }), 0);
}

/** Loaded when a text is sent to OpenAI: 100,000 tokens take memory that others have better use for. */
const embeddingModels = () =>
  require('gpt-tokenizer/encoding/cl100k_base') as typeof import('gpt-tokenizer/encoding/cl100k_base');

/** Text that spells a special token, such as `<|endoftext|>`, is encoded as the text it is. */
function tokenIds(text: string): number[] {
  const { encode } = embeddingModels();
  return encodablePieces(text).flatMap((piece) => encode(piece, { disallowedSpecial: new Set<string>() }));
}

/** A cut may fall inside a character of several bytes, whose half decodes to U+FFFD. */
function textOf(ids: number[]): string {
  return embeddingModels()
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
