// In: a length, a number for each bucket of distances and head. Out: what MPNet adds to attention's scores, as T5 does,
// and the gradient of that.
import { tf, tidy } from '../tf';
import { BUCKETS, distanceBucket } from './distance-bucket';

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
