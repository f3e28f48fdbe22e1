// A label and what it rests on -> the JSON line of an agent's predictions. Addresses and names stay in the box unless
// asked for (DESIGN 8).

import type { Prediction } from '../classify/classifier.ts';
import type { Seen } from './agent.ts';

/** Names are a contract. */
export interface PredictionLine {
  /** The same in all lines of a flow. */
  readonly id: number;
  /** Whether the flow has ended; an early label may be followed by another. */
  readonly final: boolean;
  readonly class: string;
  readonly likeliest: string;
  readonly probability: number;
  readonly evidence: {
    readonly packets: number;
    readonly handshake: string;
    readonly protocol: string | null;
    readonly model: string;
  };
  readonly protocol: 'tcp' | 'udp';
  readonly packets: number;
  readonly bytes: number;
  readonly startUs: number;
  readonly durationUs: number;
  /** Only where addresses are asked for. */
  readonly client?: string;
  readonly clientPort?: number;
  readonly server?: string;
  readonly serverPort?: number;
}

export function predictionLine(
  prediction: Prediction,
  { id, final, packets, handshake, flow }: Seen,
  options: { readonly model: string; readonly addresses: boolean },
): PredictionLine {
  const { client, clientPort, server, serverPort } = flow;
  return {
    id,
    final,
    class: prediction.class,
    likeliest: prediction.likeliest,
    probability: Number(prediction.probability.toFixed(6)),
    evidence: {
      packets,
      handshake: handshake.state,
      protocol: handshake.kind,
      model: options.model,
    },
    protocol: flow.protocol,
    packets: flow.packetsUp + flow.packetsDown,
    bytes: flow.bytesUp + flow.bytesDown,
    startUs: flow.startUs,
    durationUs: flow.durationUs,
    ...(options.addresses ? { client, clientPort, server, serverPort } : {}),
  };
}
