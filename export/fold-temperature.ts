// A temperature found on validation -> divided into the last layer's weights, so that serving needs to know nothing of it.

import type { Network } from './network.ts';

/** The same network with logits divided by `temperature`. */
export function foldTemperature(network: Network, temperature: number): Network {
  const logits = new Set(
    network.steps.flatMap((step) => (step.kind === 'softmax' ? [step.from] : [])),
  );
  const steps = network.steps.map((step) => {
    if (step.kind !== 'dense' || !logits.has(step.name)) return step;
    const divide = (value: number) => value / temperature;
    return { ...step, weights: step.weights.map(divide), bias: step.bias.map(divide) };
  });
  return { ...network, steps };
}
