// Labels and the capture they are of: finds each label's SYN, and what there is of its flow.

import type { FlowLabel } from './labels.ts';
import { flowKey, readPackets } from './packets.ts';

/** A flow as it lies in a capture. */
export interface SeenFlow {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Time of its first SYN. */
  readonly startUs: number;
  packets: number;
  ipBytes: number;
}

/** The TCP flows of a capture that open with a SYN, by `labelKey`. */
export async function flowsOf(file: string): Promise<Map<string, SeenFlow>> {
  const byFlow = new Map<string, SeenFlow>();
  const byLabel = new Map<string, SeenFlow>();
  for await (const { frame, timeUs } of readPackets(file)) {
    const key = flowKey(frame);
    let flow = byFlow.get(key);
    if (flow === undefined && frame.opens) {
      flow = {
        client: frame.source,
        clientPort: frame.sourcePort,
        server: frame.destination,
        serverPort: frame.destinationPort,
        startUs: timeUs,
        packets: 0,
        ipBytes: 0,
      };
      byFlow.set(key, flow);
      byLabel.set(labelKey(flow), flow);
    }
    if (flow === undefined) continue;
    flow.packets++;
    flow.ipBytes += frame.ipBytes;
  }
  return byLabel;
}

type Ends = Pick<FlowLabel, 'client' | 'clientPort' | 'server' | 'serverPort'>;

/** Names a flow from its client's side. */
export function labelKey({ client, clientPort, server, serverPort }: Ends): string {
  return `${client} ${clientPort} ${server} ${serverPort}`;
}

/** A socket that was opened and its SYN are the same flow if their times differ by less. */
const SAME_US = 2_000_000;

/** Labels with the time of their SYN in the capture, in order of time, and those whose SYN is not there. */
export function placeLabels(
  labels: readonly FlowLabel[],
  flows: ReadonlyMap<string, SeenFlow>,
): { placed: FlowLabel[]; lost: FlowLabel[] } {
  const placed: FlowLabel[] = [];
  const lost: FlowLabel[] = [];
  for (const label of labels) {
    const flow = flows.get(labelKey(label));
    if (flow === undefined || Math.abs(flow.startUs - label.startUs) > SAME_US)
      lost.push(label);
    else placed.push({ ...label, startUs: flow.startUs });
  }
  placed.sort((a, b) => a.startUs - b.startUs);
  return { placed, lost };
}
