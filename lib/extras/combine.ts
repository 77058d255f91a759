// In: several variants of training. Out: one that is all of them.
import type { Variant } from '../train/learner';

/**
 * Joins variants, the first applied first: `combine(symmetricLoss(), lora({ rank: 8, alpha: 16 }))`.
 *
 * A loss that replaces the ranking loss stands before those that wrap one; the order of the others matters only where
 * both change the batch (hard negatives first, so that false ones among them are masked too).
 */
export function combine(...variants: Variant[]): Variant {
  return (plain) => variants.reduce((method, variant) => variant(method), plain);
}
