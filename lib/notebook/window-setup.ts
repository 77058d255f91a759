// In: a model and the windows one would like. Out: the windows it can read, and what they mean for a corpus.

import { type WindowSettings, windowRanges } from '../common/windows';
import type { EmbeddingModel } from '../model/embedding-model';
import type { Row } from './table';

/** Windows of `size` word pieces or, where the model reads less (special tokens included), of what it reads. */
export function fitWindows({ tokenizer, maxSeqLength }: EmbeddingModel, size: number, stride: number): WindowSettings {
  const { before, after } = tokenizer.around;
  const fitting = Math.min(size, maxSeqLength - before.length - after.length);
  return { size: fitting, stride: Math.min(stride, fitting) };
}

/**
 * How much of a corpus is read and how many vectors its index holds, a chunk on average.
 * @param windows those that a search embeds; without, a chunk is cut at what the model reads, and has one vector
 */
export function windowRow(model: EmbeddingModel, corpus: Record<string, string>, windows?: WindowSettings): Row {
  const texts = Object.values(corpus);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const lengths = texts.map((text) => model.tokenizer.encodeWhole(text).length);
  const { before, after } = model.tokenizer.around;
  const limit = windows ? Number.POSITIVE_INFINITY : model.maxSeqLength - before.length - after.length;
  const read = lengths.map((length) => Math.min(length, limit));
  const vectors = lengths.map((length) => (windows ? windowRanges(length, windows.size, windows.stride).length : 1));
  return {
    'word pieces a chunk': Math.round(mean(lengths)),
    'of them read': `${Math.round((100 * mean(read)) / mean(lengths))}%`,
    'vectors a chunk, in a search': mean(vectors),
  };
}
