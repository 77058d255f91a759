// In: operators and weights, one after another. Out: the names of their results, and at the end the ONNX model.
import { int8Rows, largestOfRows } from '../../common/matrix';
import { blocksOf, type StoredTensor, sizeOf, untilNext, withValues } from '../safetensors';
import * as onnx from './messages';

/** Collects nodes and tensors; each method returns the name under which later nodes take the result. */
export class Graph {
  private readonly nodes: onnx.Message[] = [];
  private readonly tensors: onnx.Message[] = [];
  private readonly quantized = new Set<string>();

  constructor(private readonly weights: ReadonlyMap<string, StoredTensor>) {}

  /** Adds an operator with one output. */
  add(operator: string, inputs: string[], attributes: Record<string, onnx.Attribute> = {}, output?: string): string {
    const name = output ?? `${operator}_${this.nodes.length}`;
    this.nodes.push(onnx.node(operator, inputs, [name], attributes));
    return name;
  }

  /** Adds a weight as it is. */
  weight(name: string): string {
    const weight = this.weights.get(name)!;
    return this.tensor(name, 'float32', weight.shape, 4 * sizeOf(weight), () => blocksOf(weight));
  }

  /** Adds a linear layer's weight [out, in] as [in, out], the order that MatMul takes. */
  transposedWeight(name: string): string {
    const weight = this.weights.get(name)!;
    const [rows, columns] = weight.shape;
    const transposed = () => untilNext(withValues(weight, (data) => transpose(data, rows, columns)));
    return this.tensor(`${name}.transposed`, 'float32', [columns, rows], 4 * sizeOf(weight), transposed);
  }

  /**
   * Adds a weight [rows, columns] in 8 bits, from `-most` to `most`, each row by a step of its own.
   * @returns names of the whole numbers, as they are or transposed, and of the steps: a row's number is whole · step
   */
  int8Weight(name: string, most: number, isTransposed: boolean): [whole: string, steps: string] {
    const weight = this.weights.get(name)!;
    const [rows, columns] = weight.shape;
    const matrix = (data: Float32Array) => ({ data, rows: data.length / columns, columns });
    const whole = (data: Float32Array) => int8Rows(matrix(data), most).data;
    const values = isTransposed
      ? () => [withValues(weight, (data) => transpose(whole(data), rows, columns))]
      : () => Iterator.from(blocksOf(weight)).map(whole);
    const stepsOf = (data: Float32Array) => largestOfRows(matrix(data)).map((largest) => largest / most);
    const steps = () => Iterator.from(blocksOf(weight)).map(stepsOf);
    const [wholeShape, stepsShape] = isTransposed ? [[columns, rows], [rows]] : [weight.shape, [rows, 1]];
    return [
      this.tensor(`${name}.int8`, 'int8', wholeShape, rows * columns, values),
      this.tensor(`${name}.steps`, 'float32', stepsShape, 4 * rows, steps),
    ];
  }

  /** Adds, once, the operator that puts an input in 8 bits: its number is (whole - zero) · step. */
  int8Input(input: string): [whole: string, step: string, zero: string] {
    const [whole, step, zero] = ['whole', 'step', 'zero'].map((part) => `${input}.${part}`);
    if (!this.quantized.has(input)) {
      this.nodes.push(onnx.node('DynamicQuantizeLinear', [input], [whole, step, zero], {}));
      this.quantized.add(input);
    }
    return [whole, step, zero];
  }

  scalar(name: string, value: number): string {
    return this.tensor(name, 'float32', [], 4, () => [Float32Array.of(value)]);
  }

  floats(name: string, values: number[]): string {
    return this.tensor(name, 'float32', [values.length], 4 * values.length, () => [Float32Array.from(values)]);
  }

  integers(name: string, values: number[]): string {
    return this.tensor(name, 'int64', [values.length], 8 * values.length, () => [BigInt64Array.from(values, BigInt)]);
  }

  /** The finished model. */
  toModel(inputs: onnx.Message[], outputs: onnx.Message[]): onnx.Message {
    return onnx.model(this.nodes, this.tensors, inputs, outputs);
  }

  private tensor(
    name: string,
    type: 'float32' | 'int8' | 'int64',
    shape: number[],
    length: number,
    values: () => Iterable<Float32Array | Int8Array | BigInt64Array>,
  ): string {
    function* bytes() {
      for (const { buffer, byteOffset, byteLength } of values()) yield new Uint8Array(buffer, byteOffset, byteLength);
    }
    this.tensors.push(onnx.tensor(name, type, shape, { length, bytes }));
    return name;
  }
}

// Tile by tile, so that the writes of one tile stay in the cache.
function transpose<Numbers extends Float32Array | Int8Array>(data: Numbers, rows: number, columns: number): Numbers {
  const TILE = 32;
  const result = data.slice() as Numbers;
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      for (let row = top; row < Math.min(top + TILE, rows); row++) {
        for (let column = left; column < Math.min(left + TILE, columns); column++) {
          result[column * rows + row] = data[row * columns + column];
        }
      }
    }
  }
  return result;
}
