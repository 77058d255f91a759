// In: an op's name, attributes and tensors. Out: tensors, by libtensorflow: also by kernels that tfjs does not know.
/// <reference types="@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops" preserve="true" />
import util from 'node:util';

// The core's types: of all of tfjs-node's, a kernel's compiler would hold twice as much.
import tf = require('@tensorflow/tfjs-core');

import { computeRowProducts } from '../common/products';

// tfjs-node calls two functions that newer versions of Node lack or warn about: put back before it is loaded.
const legacy = util as unknown as Record<string, (value: unknown) => boolean>;
legacy.isNullOrUndefined = (value) => value === null || value === undefined;
legacy.isArray = Array.isArray;
require('@tensorflow/tfjs-node');

export { tf };

interface NodeBackend {
  binding: Record<string, number>;
  executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(name: string, attributes: object[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

const backend = (): NodeBackend => tf.backend() as unknown as NodeBackend;

/** Name, kind and value of a TensorFlow op's attribute; a TYPE's value is a dtype's name, such as `FLOAT`. */
type OpAttribute = [
  name: string,
  kind: 'TYPE' | 'BOOL' | 'FLOAT' | 'STRING' | 'SHAPE',
  value: boolean | number | number[] | string,
];

/** An attribute whose value is a dtype. */
export const type = (name: string, dtype: string): OpAttribute => [name, 'TYPE', dtype];

function toNative([name, kind, value]: OpAttribute): object {
  const { binding } = backend();
  return { name, type: binding[`TF_ATTR_${kind}`], value: kind === 'TYPE' ? binding[`TF_${value}`] : value };
}

/** Runs a TensorFlow op by name and returns its one output. Attributes and inputs: TensorFlow's raw_ops reference. */
export function runOp(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor {
  return backend().executeSingleOutput(name, attributes.map(toNative), inputs);
}

/** A tensor whose numbers TensorFlow has at once: tf.tensor holds on to the array until the first use. */
export function uploaded(data: Float32Array, shape: number[]): tf.Tensor {
  return tidy(() => runOp('Identity', [type('T', 'FLOAT')], [tf.tensor(data, shape)]));
}

/**
 * Product of two matrices, or two batches of them; quicker than tf.matMul, which takes two matrices as a batch.
 *
 * While oneDNN multiplies two small ones (94 × 384 by 384 × 94, say), a signal that the process handles breaks its
 * memory, as if oneDNN worked below the stack's end. One in some hundreds meets such a moment; `node --cpu-prof`, which
 * sends a thousand a second, cannot be used on what computes.
 */
export function product<T extends tf.Tensor2D | tf.Tensor3D>(a: T, b: T, transposeA = false, transposeB = false): T {
  const [name, adjective] = a.rank === 2 ? ['MatMul', 'transpose'] : ['BatchMatMulV2', 'adj'];
  const [first, second] = a.rank === 2 ? ['a', 'b'] : ['x', 'y'];
  const attributes: OpAttribute[] = [
    type('T', 'FLOAT'),
    [`${adjective}_${first}`, 'BOOL', transposeA],
    [`${adjective}_${second}`, 'BOOL', transposeB],
  ];
  return runOp(name, attributes, [a, b]) as T;
}

/**
 * As {@link product}, with its gradient, of a: [m, k] and b: [k, n], or [n, k] transposed. Of each shape that it meets,
 * tf.matMul keeps a program of 250 KB.
 */
export function productWithGradient(a: tf.Tensor2D, b: tf.Tensor2D, transposeB = false): tf.Tensor2D {
  const withGradient = tf.customGrad((x, y, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, y as tf.Tensor]);
    const gradFunc = (dy: tf.Tensor2D, saved: tf.Tensor[]) => {
      const [left, right] = saved as tf.Tensor2D[];
      const dRight = transposeB ? product(dy, left, true, false) : product(left, dy, true, false);
      return [product(dy, right, false, !transposeB), dRight];
    };
    return { value: product(x as tf.Tensor2D, y as tf.Tensor2D, false, transposeB), gradFunc };
  });
  return withGradient(a, b) as tf.Tensor2D;
}

/** `total` as sizes of at most `most`, as few as possible and nearly equal: small tensors compute slowly. */
export function evenSizes(total: number, most: number): number[] {
  const count = Math.ceil(total / most);
  const upTo = (i: number) => Math.floor((total * i) / count);
  return Array.from({ length: count }, (_, i) => upTo(i + 1) - upTo(i));
}

/** Consecutive pieces along the first axis, so many or of these sizes, without copying. */
export function pieces<T extends tf.Tensor>(x: T, sizes: number | number[]): T[] {
  const isWhole = Array.isArray(sizes) && sizes.length === 1;
  return isWhole ? [x] : (tf.split(x, sizes, 0) as T[]);
}

/** The inverse: tensors one after another along the first axis. */
export function joined<T extends tf.Tensor>(parts: T[]): T {
  return parts.length === 1 ? parts[0] : (tf.concat(parts, 0) as T);
}

/** Rows of x, or all of it: [all rows, columns] → [rows, columns] */
export const take = (x: tf.Tensor2D, rows?: Int32Array): tf.Tensor2D =>
  rows ? (tf.gather(x, tf.tensor1d(rows, 'int32')) as tf.Tensor2D) : x;

/** The gradient of {@link take}: [rows, columns] → [all rows, columns] */
export const putBack = (dx: tf.Tensor2D, allRows: number, rows?: Int32Array): tf.Tensor2D =>
  rows ? (tf.unsortedSegmentSum(dx, tf.tensor1d(rows, 'int32'), allRows) as tf.Tensor2D) : dx;

/** Whether an op failed because this build of libtensorflow lacks it, or its kernel: TF_NOT_FOUND. */
const isMissing = (error: unknown): boolean => /^Invalid TF_Status: 5\b/.test((error as Error).message);

/** Ops of oneDNN that this build of the library lacks. */
const missingOps = new Set<string>();

/** Runs an op of oneDNN, in a fraction of the time that `otherwise` takes, which runs where this build lacks the op. */
export function runFastOp(name: string, attributes: OpAttribute[], inputs: tf.Tensor[], otherwise: () => tf.Tensor) {
  if (missingOps.has(name)) return otherwise();
  try {
    return runOp(name, [type('T', 'FLOAT'), ...attributes], inputs);
  } catch (error) {
    if (!isMissing(error)) throw error;
    missingOps.add(name);
    return otherwise();
  }
}

/** Softmax over the last axis. */
export function softmax<T extends tf.Tensor>(x: T): T {
  const attributes: OpAttribute[] = [['_kernel', 'STRING', 'MklNameChangeOp']];
  return runFastOp('_MklSoftmax', attributes, [x], () => runOp('Softmax', [type('T', 'FLOAT')], [x])) as T;
}

/** Runs a TensorFlow op that has no output, such as an assignment to a variable. */
export function runOpWithoutOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): void {
  backend().executeMultipleOutputs(name, attributes.map(toNative), inputs, 0);
}

/** `tf.tidy` for functions that return any structure of tensors: all tensors made inside and not returned are freed. */
export function tidy<T>(work: () => T): T {
  return tf.tidy(work as unknown as () => tf.TensorContainer) as unknown as T;
}

/** Frees every tensor in a structure. */
export function disposeAll(structure: unknown): void {
  tf.dispose(structure as tf.TensorContainer);
}

// Where TensorFlow is loaded, search uses it.
computeRowProducts((a, b) => {
  const products = tidy(() => {
    const [x, y] = [a, b].map(({ data, rows, columns }) =>
      tf.tensor2d(data instanceof Float32Array ? data : Float32Array.from(data), [rows, columns]),
    );
    return product(x, y, false, true);
  });
  const values = products.dataSync() as Float32Array; // in `tidy`, it would search them for tensors
  products.dispose();
  return values;
});
