// The only place that touches onnx-proto: our few ONNX types -> bytes of a model file and back.

import onnxProto from 'onnx-proto';

const { ModelProto } = onnxProto.onnx;

/** Opset of ai.onnx and the file format's own version: what onnxruntime has read for years (DESIGN 7). */
const OPSET = 17;
const IR_VERSION = 8;

/** TensorProto.DataType of the types that we write; Cast's attribute is one of these numbers. */
export const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type DataType = keyof typeof DATA_TYPES;

/** AttributeProto.AttributeType of the kinds that we write. */
const ATTRIBUTE = { int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

/** A whole number becomes an int, a list of them ints, text a string; floats are told by their type. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | readonly string[] | Float32Array>
>;

export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** '' is ai.onnx. */
  readonly domain: string;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: DataType;
  /** [] is a scalar. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;
}

/** An input or output; a string names a free axis such as the batch. */
export interface OnnxValue {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** The same graph gives the same bytes. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const model = {
    irVersion: IR_VERSION,
    producerName: 'sluice',
    opsetImport: domainsOf(graph),
    graph: {
      name: graph.name,
      node: graph.nodes.map(nodeProto),
      initializer: graph.initializers.map(tensorProto),
      input: graph.inputs.map(valueProto),
      output: graph.outputs.map(valueProto),
    },
  };
  const fault = ModelProto.verify(model);
  if (fault !== null) throw new Error(`ONNX model "${graph.name}": ${fault}`);
  return ModelProto.encode(model).finish();
}

/** Versions of the sets of operators beside ai.onnx. */
const DOMAINS: Readonly<Record<string, number>> = {
  'ai.onnx.ml': 3,
  'com.microsoft': 1,
};

/** Only those that are used: a runtime that lacks one says so of the graphs that need it. */
function domainsOf(graph: OnnxGraph): { domain: string; version: number }[] {
  const used = new Set(graph.nodes.map(({ domain }) => domain));
  const others = Object.entries(DOMAINS).filter(([domain]) => used.has(domain));
  return [['', OPSET] as const, ...others].map(([domain, version]) => ({
    domain,
    version,
  }));
}

/** A constant of a model file. */
interface DecodedTensor {
  /** 'other': a type that we never write. */
  readonly type: DataType | 'other';
  readonly shape: readonly number[];
  /** Little endian. */
  readonly bytes: Uint8Array;
}

export interface DecodedModel {
  /** Without their attributes. */
  readonly nodes: readonly OnnxNode[];
  /** By name. */
  readonly initializers: ReadonlyMap<string, DecodedTensor>;
}

/** Reads a model file, also one that onnxruntime has optimised. */
export function decodeModel(bytes: Uint8Array): DecodedModel {
  const { graph } = ModelProto.decode(bytes);
  const nodes = (graph?.node ?? []).map((node) => ({
    op: node.opType ?? '',
    name: node.name ?? '',
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: {},
    domain: node.domain ?? '',
  }));
  const tensors = (graph?.initializer ?? []).map((tensor) => {
    const { name, dataType, dims, rawData } = tensor;
    const decoded: DecodedTensor = {
      type: typeName(dataType ?? 0),
      shape: (dims ?? []).map(Number),
      bytes: Uint8Array.from(rawData ?? []),
    };
    return [name ?? '', decoded] as const;
  });
  return { nodes, initializers: new Map(tensors) };
}

function typeName(code: number): DataType | 'other' {
  const names = Object.keys(DATA_TYPES) as DataType[];
  return names.find((name) => DATA_TYPES[name] === code) ?? 'other';
}

function nodeProto(node: OnnxNode) {
  return {
    opType: node.op,
    name: node.name,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(attributeProto),
  };
}

function attributeProto([name, value]: [string, Attributes[string]]) {
  const utf8 = (text: string) => Buffer.from(text, 'utf8');
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: value };
  if (typeof value === 'string') {
    return { name, type: ATTRIBUTE.string, s: utf8(value) };
  }
  if (value instanceof Float32Array) {
    return { name, type: ATTRIBUTE.floats, floats: [...value] };
  }
  return typeof value[0] === 'string'
    ? { name, type: ATTRIBUTE.strings, strings: value.map((text) => utf8(String(text))) }
    : { name, type: ATTRIBUTE.ints, ints: value.map(Number) };
}

function tensorProto({ name, type, shape, data }: OnnxTensor) {
  const size = shape.reduce((a, b) => a * b, 1);
  if (size !== data.length) {
    throw new Error(`tensor "${name}" is [${shape}] but has ${data.length} values`);
  }
  // rawData is little endian, as is every machine that tfjs and onnxruntime run on.
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType: DATA_TYPES[type], dims: [...shape], rawData };
}

function valueProto({ name, type, shape }: OnnxValue) {
  const dim = shape.map((d) =>
    typeof d === 'string' ? { dimParam: d } : { dimValue: d },
  );
  return { name, type: { tensorType: { elemType: DATA_TYPES[type], shape: { dim } } } };
}
