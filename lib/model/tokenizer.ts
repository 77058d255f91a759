// In: a model folder, a text. Out: the text's word-piece ids, cut to a length as Python's tokenizers do, or by windows.
import fs from 'node:fs';
import path from 'node:path';
import { PreTrainedTokenizer } from '@huggingface/transformers';
import { type WindowSettings, windowRanges } from '../common/windows';
import { readModelJson } from './config';

/** Turns texts into token ids, special tokens included. */
export interface Tokenizer {
  /** Ids of `text`, at most `maxLength` of them; a longer text keeps its first ids and the final [SEP]. */
  encode(text: string, maxLength: number): Int32Array;
  /** Ids of the whole text without special tokens. */
  encodeWhole(text: string): Int32Array;
  /** The ids put around a text's own: `[CLS]` before, `[SEP]` after. */
  readonly around: { before: number[]; after: number[] };
  /** The word pieces behind ids, for display. */
  pieces(ids: ArrayLike<number>): string[];
}

/**
 * Loads `tokenizer.json` (and `tokenizer_config.json`) from a model folder.
 *
 * @throws Error if the file is missing or is not a tokenizer.
 */
export function loadTokenizer(folder: string): Tokenizer {
  const file = path.join(folder, 'tokenizer.json');
  if (!fs.existsSync(file)) {
    throw new Error(`${file} is missing: the tokenizer is read from it. Choose a model that ships a tokenizer.json.`);
  }
  const configFile = path.join(folder, 'tokenizer_config.json');
  const tokenizer = new PreTrainedTokenizer(
    readModelJson(file),
    fs.existsSync(configFile) ? readModelJson(configFile) : {},
  );
  // What the tokenizer puts around a text shows on any text whose own ids are known.
  const bare = tokenizer.encode('a', { add_special_tokens: false });
  const wrapped = tokenizer.encode('a');
  const start = wrapped.indexOf(bare[0]);
  const around = { before: wrapped.slice(0, start), after: wrapped.slice(start + bare.length) };
  return {
    around,
    encode(text, maxLength) {
      const ids = tokenizer.encode(text);
      if (ids.length <= maxLength) return Int32Array.from(ids);
      // transformers.js would cut after adding the special tokens and lose [SEP]; Python cuts before.
      const tail = around.after.length;
      return Int32Array.from([...ids.slice(0, maxLength - tail), ...ids.slice(ids.length - tail)]);
    },
    encodeWhole: (text) => Int32Array.from(tokenizer.encode(text, { add_special_tokens: false })),
    pieces: (ids) => Array.from(ids, (id) => tokenizer.decode([id])),
  };
}

/**
 * A text's windows as the encoder reads them, with special tokens around each.
 *
 * @param maxSeqLength what the model reads at most, special tokens included
 * @throws {RangeError} if a window with its special tokens is longer than that, and as {@link windowRanges}
 */
export function windowSequences(
  tokenizer: Tokenizer,
  text: string,
  { size, stride }: WindowSettings,
  maxSeqLength: number,
): Int32Array[] {
  const { before, after } = tokenizer.around;
  const largest = maxSeqLength - before.length - after.length;
  if (size > largest) throw new RangeError(`Windows of ${size} word pieces are more than the model's ${largest}.`);
  const ids = tokenizer.encodeWhole(text);
  return windowRanges(ids.length, size, stride).map(([start, end]) =>
    Int32Array.from([...before, ...ids.subarray(start, end), ...after]),
  );
}
