// A small builder of ONNX graphs with readable names: every tensor is named after the node that makes it.

import {
  type Attributes,
  type DataType,
  encodeModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './proto.ts';

/** The free axis of every input and output: B. */
const BATCH = 'B';

export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #names = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  /** A graph input of shape [B, ...shape]. */
  input(name: string, type: DataType, shape: readonly number[]): string {
    this.#inputs.push({ name: this.#claim(name), type, shape: [BATCH, ...shape] });
    return name;
  }

  /** Makes the tensor `name` an output of shape [B, ...shape]. */
  output(name: string, shape: readonly number[]): void {
    this.#outputs.push({ name, type: 'float32', shape: [BATCH, ...shape] });
  }

  /** Adds a node; its one output bears `name`, which is returned. */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Attributes = {},
  ): string {
    const outputs = [this.#claim(name)];
    this.#nodes.push({ op, name, inputs, outputs, attributes, domain: '' });
    return name;
  }

  floats(name: string, shape: readonly number[], data: Float32Array): string {
    return this.#constant({ name, type: 'float32', shape, data });
  }

  int8s(name: string, shape: readonly number[], data: Int8Array): string {
    return this.#constant({ name, type: 'int8', shape, data });
  }

  int32s(name: string, shape: readonly number[], data: Int32Array): string {
    return this.#constant({ name, type: 'int32', shape, data });
  }

  float(name: string, value: number): string {
    return this.floats(name, [], Float32Array.of(value));
  }

  uint8(name: string, value: number): string {
    return this.#constant({ name, type: 'uint8', shape: [], data: Uint8Array.of(value) });
  }

  /** The model file. */
  encode(): Uint8Array {
    return encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #constant(tensor: OnnxTensor): string {
    this.#claim(tensor.name);
    this.#initializers.push(tensor);
    return tensor.name;
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw new Error(`ONNX graph has two tensors "${name}"`);
    this.#names.add(name);
    return name;
  }
}
