// In: a length, a number for each bucket of distances and head. Out: what MPNet (Song et al. 2020) adds to attention's
// scores, as T5 does (Raffel et al. 2020, section 2.1), and the gradient of that.
import { tf, tidy } from '../tf';

const BUCKETS = 32;
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

/** The bucket of each query and key: [length · length] */
function buckets(length: number): tf.Tensor1D {
  const ofOffset = Int32Array.from({ length: 2 * length - 1 }, (_, i) => distanceBucket(i - length + 1));
  const all = new Int32Array(length * length);
  for (let query = 0; query < length; query++) {
    all.set(ofOffset.subarray(length - 1 - query, 2 * length - 1 - query), query * length);
  }
  return tf.tensor1d(all, 'int32');
}

/** table: [buckets, heads] → [heads, length, length] */
export function relativeBias(table: tf.Tensor2D, length: number): tf.Tensor3D {
  return tidy(() => tf.gather(tf.transpose(table), buckets(length), 1).reshape([-1, length, length]) as tf.Tensor3D);
}

/** Gradient of {@link relativeBias}: [heads, length, length] → [buckets, heads] */
export function relativeBiasGradient(dBias: tf.Tensor3D): tf.Tensor2D {
  return tidy(() => {
    const [heads, length] = dBias.shape;
    const rows = tf.transpose(dBias.reshape([heads, length * length])); // [length · length, heads]
    return tf.unsortedSegmentSum(rows, buckets(length), BUCKETS) as tf.Tensor2D;
  });
}
