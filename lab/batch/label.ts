// What was done at each seat and when, and the flows of the capture -> labels of the flows.

import type { Service } from '../../models/labels.ts';
import { Draw } from '../draw.ts';
import { flowKey, readPackets } from '../packets.ts';
import type { Protocol } from '../scenario/step.ts';
import type { Played } from './batch.ts';
import type { BatchHost } from './plan.ts';

/** A line of NAME.labels.jsonl: the truth about a flow. */
export interface LabLabel {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Of the flow's first packet, since the epoch. */
  readonly startUs: number;
  readonly service: Service;
  readonly application: string;
  /** All flows of one activity share it. */
  readonly session: string;
  readonly scenario: string;
  readonly seed: number;
  readonly clientSoftware: string;
  readonly serverSoftware: string;
  readonly profile: string;
  readonly protocol: Protocol;
}

/** A flow of the capture, from the side of who opened it. */
export interface TappedFlow {
  readonly udp: boolean;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly startUs: number;
  packets: number;
  payloadUp: number;
  payloadDown: number;
  /** The client's payload after the server's first: what is left of a handshake, and requests. */
  payloadAnswering: number;
}

/** The flows of a capture, in order of their first packets; TCP flows without a SYN are of before the capture. */
export async function tappedFlows(capture: string): Promise<TappedFlow[]> {
  const open = new Map<string, TappedFlow>();
  const flows: TappedFlow[] = [];
  for await (const { frame, timeUs } of readPackets(capture)) {
    const key = flowKey(frame);
    let flow = open.get(key);
    // A SYN on a port that was used before is another connection; one that is sent again is not.
    const anew = frame.opens && flow !== undefined && flow.payloadUp > 0;
    if (flow === undefined || anew) {
      if (frame.protocol === PROTOCOL_TCP && !frame.opens) continue;
      flow = {
        udp: frame.protocol !== PROTOCOL_TCP,
        client: frame.source,
        clientPort: frame.sourcePort,
        server: frame.destination,
        serverPort: frame.destinationPort,
        startUs: timeUs,
        packets: 0,
        payloadUp: 0,
        payloadDown: 0,
        payloadAnswering: 0,
      };
      open.set(key, flow);
      flows.push(flow);
    }
    flow.packets++;
    const payload = frame.ipBytes - (frame.headerBytes - frame.linkBytes);
    if (frame.source !== flow.client || frame.sourcePort !== flow.clientPort)
      flow.payloadDown += payload;
    else {
      flow.payloadUp += payload;
      if (flow.payloadDown > 0) flow.payloadAnswering += payload;
    }
  }
  return flows;
}

const PROTOCOL_TCP = 6;
/** A clock read in another process, a packet stamped a little later. */
const SLACK_US = 50_000;
const FLOWS_OF_ACTIVITY = 4;
/** The end of a TLS handshake is up to 80 bytes, with the shortest request it is 160. */
const REQUEST_BYTES_LEAST = 120;

export interface Labelled {
  readonly labels: readonly LabLabel[];
  /** Labelled flows, as they are in the capture. */
  readonly flows: readonly TappedFlow[];
  /** Flows that belong to no activity. */
  readonly strays: number;
  /** Connections that a browser opened and never used, ways that a talk did not take: there is nothing to label. */
  readonly unused: number;
  /** Flows of an activity beyond the few that speak for it. */
  readonly alike: number;
  /** Flows of activities in which something went wrong: they may be anything. */
  readonly failed: number;
}

interface LabelledFlow {
  readonly flow: TappedFlow;
  readonly label: LabLabel;
}

/** A flow is of the activity at its seat while which it began. */
export function labelFlows(
  flows: readonly TappedFlow[],
  played: readonly Played[],
  hosts: readonly BatchHost[],
): Labelled {
  const servers = new Map(
    hosts.flatMap((host) => [[host.ipv4, host] as const, [host.ipv6, host] as const]),
  );
  const labelled: LabelledFlow[] = [];
  let unused = 0;
  let failed = 0;
  for (const flow of flows) {
    if (!flow.udp && flow.payloadAnswering < REQUEST_BYTES_LEAST) {
      unused++;
      continue;
    }
    const one = played.find(
      ({ seat, outcome }) =>
        (seat.ipv4 === flow.client || seat.ipv6 === flow.client) &&
        flow.startUs >= outcome.startUs - SLACK_US &&
        flow.startUs <= outcome.endUs + SLACK_US,
    );
    const host = servers.get(flow.server);
    if (one === undefined || host === undefined) continue;
    if (one.outcome.fault === undefined)
      labelled.push({ flow, label: labelOf(flow, one, host) });
    else failed++;
  }
  const tried = new Set(waysTried(labelled));
  unused += tried.size;
  const taken = labelled.filter((one) => !tried.has(one));
  const few = fewOfEach(taken);
  return {
    labels: few.map(({ label }) => label),
    flows: few.map(({ flow }) => flow),
    strays: flows.length - taken.length - unused - failed,
    unused,
    alike: taken.length - few.length,
    failed,
  };
}

/**
 * A program that opens a connection for each request (wget, ffmpeg) would fill a class with flows of its own: of each activity no more than
 * FLOWS_OF_ACTIVITY keep their labels, by lot.
 */
function fewOfEach(labelled: readonly LabelledFlow[]): LabelledFlow[] {
  const sessions = new Map<string, LabelledFlow[]>();
  for (const one of labelled) {
    const { session } = one.label;
    sessions.set(session, [...(sessions.get(session) ?? []), one]);
  }
  const kept = new Set(
    [...sessions.values()].flatMap((of) => {
      const seed = of[0]?.label.seed ?? 0;
      return new Draw(seed).shuffled(of).slice(0, FLOWS_OF_ACTIVITY);
    }),
  );
  return labelled.filter((one) => kept.has(one));
}

/** Two who talk try several ways to each other (ICE, RFC 8445) and take one: that with the most bytes. */
function waysTried(labelled: readonly LabelledFlow[]): LabelledFlow[] {
  const taken = new Map<string, LabelledFlow>();
  const talks = labelled.filter(({ label }) => label.protocol === 'dtls');
  const bytesOf = ({ flow }: LabelledFlow): number => flow.payloadUp + flow.payloadDown;
  for (const one of talks) {
    const other = taken.get(one.label.session);
    if (other === undefined || bytesOf(one) > bytesOf(other))
      taken.set(one.label.session, one);
  }
  return talks.filter((one) => taken.get(one.label.session) !== one);
}

function labelOf(
  flow: TappedFlow,
  { seat, activity }: Played,
  host: BatchHost,
): LabLabel {
  const { client, clientPort, server, serverPort, startUs } = flow;
  const { id, scenario, seed, protocol } = activity;
  return {
    client,
    clientPort,
    server,
    serverPort,
    startUs,
    service: scenario.service,
    application: scenario.application,
    session: id,
    scenario: scenario.name,
    seed,
    clientSoftware: seat.software.name,
    serverSoftware: host.server.name,
    profile: seat.line.profile,
    // A talk's own flow is with a server that speaks nothing else.
    protocol: host.server.protocols.includes(protocol)
      ? protocol
      : (host.server.protocols[0] ?? protocol),
  };
}
