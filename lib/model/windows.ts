// A text's tokens, a window size and a stride → the text's overlapping windows.
import type { Tokenizer } from './tokenizer';

/** How a document is cut for the model: windows of `size` word pieces, `stride` apart. */
export interface WindowSettings {
  size: number;
  stride: number;
}

/**
 * The ranges `[start, end)` of windows of `size` tokens whose starts are `stride` tokens apart. Every token is in a
 * window, and no window lies wholly inside the one before it; only the last may be shorter than `size`.
 *
 * @throws {RangeError} if `size` or `stride` is not a positive whole number, or the stride skips tokens.
 */
export function windowRanges(length: number, size: number, stride: number): [start: number, end: number][] {
  if (!(Number.isInteger(size) && Number.isInteger(stride) && size > 0 && stride > 0 && stride <= size)) {
    throw new RangeError(`Windows of ${size} tokens, ${stride} apart: take whole numbers with 0 < stride <= size.`);
  }
  const ranges: [number, number][] = [];
  for (let start = 0; ; start += stride) {
    ranges.push([start, Math.min(start + size, length)]);
    if (start + size >= length) return ranges;
  }
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
