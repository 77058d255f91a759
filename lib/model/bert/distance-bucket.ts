// In: how far a key stands from a query. Out: the bucket of distances that this is in T5 (Raffel et al. 2020, section
// 2.1) and MPNet (Song et al. 2020).

/** In all, half of them for keys before a query. */
export const BUCKETS = 32;
/** From here on, all distances share a bucket. */
const MAX_DISTANCE = 128;

/**
 * The bucket of a key that stands so many tokens after the query: half of the buckets are for keys before it and half
 * for those behind; in each half, one a distance for the nearest, then by the distance's logarithm.
 */
export function distanceBucket(offset: number): number {
  const half = BUCKETS / 2;
  const exact = half / 2;
  const distance = Math.abs(offset);
  // In 32 bits as PyTorch does it: at a power of two, the last bit decides.
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(MAX_DISTANCE / exact)));
  const far = Math.min(half - 1, exact + Math.trunc(share * exact));
  return (offset > 0 ? half : 0) + (distance < exact ? distance : far);
}
