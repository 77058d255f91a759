// In: text. Out: its number of GPT-2 tokens, the unit of CHUNK_SIZE.
import { countTokens as count } from 'gpt-tokenizer/encoding/r50k_base';

/** The merge loop of byte-pair encoding is quadratic in the length of a word: longer runs are encoded in pieces. */
export const LONG_RUN = /\S{256}(?=\S)/gu;

/**
 * Tokens of the byte-pair encoding of GPT-2 and GPT-3 (r50k_base), which LlamaIndex counted chunks with. Text that
 * spells a special token, such as `<|endoftext|>`, is counted as the text it is.
 */
export function countTokens(text: string): number {
  return count(text.replace(LONG_RUN, '$& '), { disallowedSpecial: new Set<string>() });
}
