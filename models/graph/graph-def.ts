// A TensorFlow graph -> the file of a SavedModel: tensorflow/core/protobuf/{saved_model,meta_graph}.proto and
// tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto.

import { ProtoWriter } from './proto-writer.ts';

/** tensorflow/core/framework/types.proto; tfjs-node's binding uses the same numbers. */
export const DATA_TYPES = { float32: 1, int32: 3, int64: 9, bool: 10 } as const;

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** "node" or "node:2" is a value, "^node" only has to be over. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export type AttributeValue =
  | { readonly text: string }
  | { readonly int: number | readonly number[] }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly type: number }
  | { readonly shape: readonly number[] }
  | { readonly tensor: TensorValue };

interface TensorValue {
  readonly type: number;
  readonly shape: readonly number[];
  /** Little endian. */
  readonly bytes: Uint8Array;
}

/** The tag by which a graph of a SavedModel is asked for. */
export const GRAPH_TAG = 'train';
/** Of graphs as TensorFlow 2.9 writes them: newer libraries read them as well. */
const PRODUCER = 1087;

/** saved_model.pb */
export function savedModelOf(nodes: readonly GraphNode[]): Uint8Array {
  const graph = new ProtoWriter();
  for (const node of nodes) graph.message(1, nodeProto(node));
  graph.message(4, new ProtoWriter().int(1, PRODUCER));
  const info = new ProtoWriter().text(4, GRAPH_TAG);
  const metaGraph = new ProtoWriter().message(1, info).message(2, graph);
  return new ProtoWriter().int(1, 1).message(2, metaGraph).encode();
}

function nodeProto({ name, op, inputs, attributes }: GraphNode): ProtoWriter {
  const node = new ProtoWriter().text(1, name).text(2, op);
  for (const input of inputs) node.text(3, input);
  for (const [key, value] of Object.entries(attributes)) {
    node.message(5, new ProtoWriter().text(1, key).message(2, attributeProto(value)));
  }
  return node;
}

function attributeProto(value: AttributeValue): ProtoWriter {
  const made = new ProtoWriter();
  if ('text' in value) return made.text(2, value.text);
  if ('float' in value) return made.float(4, value.float);
  if ('bool' in value) return made.bool(5, value.bool);
  if ('type' in value) return made.int(6, value.type);
  if ('shape' in value) return made.message(7, shapeProto(value.shape));
  if ('tensor' in value) {
    const { type, shape, bytes } = value.tensor;
    const tensor = new ProtoWriter().int(1, type).message(2, shapeProto(shape));
    return made.message(8, tensor.bytes(4, bytes));
  }
  return typeof value.int === 'number'
    ? made.int(3, value.int)
    : made.message(1, new ProtoWriter().packedInts(3, value.int));
}

function shapeProto(shape: readonly number[]): ProtoWriter {
  const made = new ProtoWriter();
  for (const size of shape) made.message(2, new ProtoWriter().int(1, size));
  return made;
}
