// A small builder of ONNX graphs with readable names: every tensor is named after the node that makes it.

import {
  type Attributes,
  type DataType,
  encodeModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './proto.ts';

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

  /** A graph input; names in the shape are free axes, such as the batch. */
  input(name: string, type: DataType, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name: this.#claim(name), type, shape });
    return name;
  }

  /** Makes the tensor `name` an output. */
  output(
    name: string,
    shape: readonly (number | string)[],
    type: DataType = 'float32',
  ): void {
    this.#outputs.push({ name, type, shape });
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

  /** Adds a node with outputs of their own names ('': not wanted), or of another set of operators. */
  wideNode(node: OnnxNode): void {
    for (const output of node.outputs) if (output !== '') this.#claim(output);
    this.#nodes.push(node);
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

  int64s(name: string, values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant({ name, type: 'int64', shape: [values.length], data });
  }

  float(name: string, value: number): string {
    return this.floats(name, [], Float32Array.of(value));
  }

  /** A scalar that is made at its first use. */
  sharedFloat(name: string, value: number): string {
    return this.#names.has(name) ? name : this.float(name, value);
  }

  sharedUint8(name: string, value: number): string {
    if (this.#names.has(name)) return name;
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
