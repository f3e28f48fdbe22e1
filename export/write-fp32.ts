// The steps of network.ts -> an ONNX graph in float32: the reference that int8 is measured against, and what calibration
// runs. Axes: see network.ts.

import { GraphBuilder } from './graph.ts';
import { freeInputs, type Network, outputOf, sourcesOf, wholeShape } from './network.ts';
import { writeNodes } from './write-nodes.ts';

/**
 * The model file in float32.
 *
 * @param exposed steps whose values become outputs besides the last one, for calibration and for parity tests.
 */
export function writeFp32(network: Network, exposed: readonly string[] = []): Uint8Array {
  const graph = new GraphBuilder(network.name);
  const free = freeInputs(network);
  for (const step of network.steps) {
    const { name } = step;
    if (step.kind === 'input') {
      const type = step.values === 'bytes' ? 'uint8' : 'float32';
      graph.input(name, type, wholeShape(step, free.has(name)));
    } else writeNodes(graph, step, sourcesOf(step), name);
  }
  const output = outputOf(network);
  graph.output(output.name, wholeShape(output));
  for (const step of network.steps) {
    if (exposed.includes(step.name) && step !== output) {
      graph.output(step.name, unnamed(step.shape.length + 1, step.name));
    }
  }
  return graph.encode();
}

/** A shape of which nothing is said: values of inner steps are taken as they come. */
function unnamed(rank: number, name: string): string[] {
  return Array.from({ length: rank }, (_, i) => `${name}_${i}`);
}
