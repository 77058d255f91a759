// In: plain values. Out: the ONNX messages that a model file is made of.
// Field numbers: onnx.proto of the ONNX specification (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
import {
  bytesField,
  floatField,
  type LazyBytes,
  type Message,
  messageField,
  stringField,
  varintField,
} from './protobuf';

/** An attribute of a node: a number with a fraction or a whole one, or a list of whole ones. */
export type Attribute = { float: number } | { int: number } | { ints: number[] };

/** TensorProto.DataType */
export const ELEMENT_TYPES = { float32: 1, int64: 7 };

/** ONNX IR version 8 is the first with operator set 17, where LayerNormalization is one operator. */
const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** NodeProto: one operator; its attributes by name. */
export function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, Attribute>,
): Message {
  return [
    ...inputs.flatMap((name) => stringField(1, name)),
    ...outputs.flatMap((name) => stringField(2, name)),
    ...stringField(3, outputs[0]),
    ...stringField(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) => messageField(5, attribute(name, value))),
  ];
}

// AttributeProto: f = 2, i = 3, ints = 8; its kind in field 20 (FLOAT 1, INT 2, INTS 7).
function attribute(name: string, value: Attribute): Message {
  if ('float' in value) return [...stringField(1, name), ...floatField(2, value.float), ...varintField(20, 1)];
  if ('int' in value) return [...stringField(1, name), ...varintField(3, value.int), ...varintField(20, 2)];
  return [...stringField(1, name), ...value.ints.flatMap((int) => varintField(8, int)), ...varintField(20, 7)];
}

/** TensorProto: a constant or weight; `data` is little-endian, row-major. */
export function tensor(name: string, type: keyof typeof ELEMENT_TYPES, shape: number[], data: LazyBytes): Message {
  return [
    ...shape.flatMap((size) => varintField(1, size)),
    ...varintField(2, ELEMENT_TYPES[type]),
    ...stringField(8, name),
    ...bytesField(9, data),
  ];
}

/** ValueInfoProto: an input or output of the graph; a string in the shape names a size that varies. */
export function valueInfo(name: string, type: keyof typeof ELEMENT_TYPES, shape: (number | string)[]): Message {
  const sizes = shape.map((size) =>
    messageField(1, typeof size === 'string' ? stringField(2, size) : varintField(1, size)),
  );
  const tensorType = messageField(1, varintField(1, ELEMENT_TYPES[type]), messageField(2, ...sizes));
  return [...stringField(1, name), ...messageField(2, tensorType)];
}

/** ModelProto around a GraphProto. */
export function model(graph: { nodes: Message[]; tensors: Message[]; inputs: Message[]; outputs: Message[] }): Message {
  return [
    ...varintField(1, IR_VERSION),
    ...stringField(2, 'finetune-embedding'),
    ...messageField(
      7,
      ...graph.nodes.map((message) => messageField(1, message)),
      stringField(2, 'encoder'),
      ...graph.tensors.map((message) => messageField(5, message)),
      ...graph.inputs.map((message) => messageField(11, message)),
      ...graph.outputs.map((message) => messageField(12, message)),
    ),
    ...messageField(8, stringField(1, ''), varintField(2, OPERATOR_SET)),
  ];
}
