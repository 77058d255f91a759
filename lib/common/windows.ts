// In: how many tokens a text has, a window's size and a stride. Out: the overlapping windows that the text is cut into.

/** How a document is cut for the model: windows of `size` word pieces, `stride` apart. */
export interface WindowSettings {
  size: number;
  stride: number;
}

/**
 * The ranges `[start, end)` of windows of `size` tokens whose starts are `stride` tokens apart. Every token is in a
 * window, and no window lies wholly inside the one before it; only the last may be shorter than `size`.
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
