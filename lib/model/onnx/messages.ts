// In: plain values. Out: the ONNX messages that a model file is made of, as lists of parts, so that weights of hundreds
// of megabytes are asked for only when they are written: a library would copy the whole model twice more into memory.
// Field numbers: onnx.proto of the ONNX specification (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
// Encoding: Protocol Buffers (https://protobuf.dev/programming-guides/encoding/).

/** Bytes that are made only when they are written; their length is known, since messages carry their length first. */
export interface LazyBytes {
  length: number;
  bytes: () => Iterable<Uint8Array>;
}

/** A message: its fields' bytes, one after another. */
export type Message = (Uint8Array | LazyBytes)[];

/** An attribute of a node: a number with a fraction or a whole one, or a list of whole ones. */
export type Attribute = { float: number } | { int: number } | { ints: number[] };

/** TensorProto.DataType */
export const ELEMENT_TYPES = { float32: 1, int8: 3, int64: 7 };
type ElementType = keyof typeof ELEMENT_TYPES;

/** ONNX IR version 8 is the first with operator set 17, where LayerNormalization is one operator. */
const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** Bytes of a file of one message: Protocol Buffers have no larger ones. */
export const LARGEST_FILE = 2 ** 31 - 1;

/** A message's length in bytes. */
export const byteLength = (message: Message): number => message.reduce((sum, part) => sum + part.length, 0);

// Seven bits a byte, lowest first, the top bit set on all but the last; a negative number as its 64-bit complement.
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

// A field begins with its number times 8, plus 0 for a varint, 2 for bytes after their length, 5 for 32 bits.
const integer = (field: number, value: number): Message => [Uint8Array.from([...varint(field * 8), ...varint(value)])];

function float(field: number, value: number): Message {
  return [Uint8Array.from([...varint(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)])];
}

function nested(field: number, ...contents: Message[]): Message {
  const message = contents.flat();
  return [Uint8Array.from([...varint(field * 8 + 2), ...varint(byteLength(message))]), ...message];
}

const text = (field: number, value: string): Message => nested(field, [Buffer.from(value)]);

/** NodeProto: one operator, named after its first output; its attributes by name. */
export function node(operator: string, inputs: string[], outputs: string[], attributes: Record<string, Attribute>) {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(3, outputs[0]),
    ...text(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) => nested(5, text(1, name), attribute(value))),
  ];
}

// AttributeProto: f = 2, i = 3, ints = 8; its kind in field 20 (FLOAT 1, INT 2, INTS 7).
function attribute(value: Attribute): Message {
  if ('float' in value) return [...float(2, value.float), ...integer(20, 1)];
  if ('int' in value) return [...integer(3, value.int), ...integer(20, 2)];
  return [...value.ints.flatMap((int) => integer(8, int)), ...integer(20, 7)];
}

/** TensorProto: a constant or weight; `data` is little-endian, row-major. */
export function tensor(name: string, type: ElementType, shape: number[], data: LazyBytes): Message {
  return [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, ELEMENT_TYPES[type]),
    ...text(8, name),
    ...nested(9, [data]),
  ];
}

/** ValueInfoProto: an input or output of the graph; a string in the shape names a size that varies. */
export function valueInfo(name: string, type: ElementType, shape: (number | string)[]): Message {
  const sizes = shape.map((size) => nested(1, typeof size === 'string' ? text(2, size) : integer(1, size)));
  return [...text(1, name), ...nested(2, nested(1, integer(1, ELEMENT_TYPES[type]), nested(2, ...sizes)))];
}

/** ModelProto around a GraphProto. */
export function model(nodes: Message[], tensors: Message[], inputs: Message[], outputs: Message[]): Message {
  return [
    ...integer(1, IR_VERSION),
    ...text(2, 'finetune-embedding'),
    ...nested(
      7,
      ...nodes.map((message) => nested(1, message)),
      text(2, 'encoder'),
      ...tensors.map((message) => nested(5, message)),
      ...inputs.map((message) => nested(11, message)),
      ...outputs.map((message) => nested(12, message)),
    ),
    ...nested(8, text(1, ''), integer(2, OPERATOR_SET)),
  ];
}
