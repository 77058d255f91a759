// In: text. Out: its number of GPT-2 tokens, the unit of CHUNK_SIZE.

const LONG_RUN = /\S{256}(?=\S)|\s{256}(?=\s)/gu;

/** A text in pieces that an encoder reads in time: merging pairs takes the square of a word's or a gap's length. */
export function encodablePieces(text: string): string[] {
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
