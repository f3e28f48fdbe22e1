// Flows as they get ready and end -> labels, lines and windows of counts. The main loop of an agent: it decides and
// counts; packets are the native thread's, the model is the classify worker's.

import { performance } from 'node:perf_hooks';
import type { Prediction } from '../classify/classifier.ts';
import { UNKNOWN } from '../classify/classifier.ts';
import type { ClassifyQueue } from '../classify/classify-queue.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { factsOf, type HandshakeFacts } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { HandshakeCounts } from '../handshake/handshake-counts.ts';
import type { ClassCount } from '../report/report.ts';
import type { WindowTally } from '../report/window-tally.ts';
import type { FlowSource } from './flow-source.ts';

/** The class of flows without a handshake: no model is asked. */
export const OTHER = 'other';

/** What was known of a flow when its label was asked for; nothing points into the record. */
export interface Seen {
  readonly id: number;
  /** The flow has ended: its label is the last one, and is counted. */
  readonly final: boolean;
  /** Packets that the model looked at. */
  readonly packets: number;
  readonly handshake: HandshakeFacts;
  readonly flow: FlowFacts;
}

interface FlowFacts {
  readonly protocol: 'tcp' | 'udp';
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly packetsUp: number;
  readonly packetsDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly startUs: number;
  readonly durationUs: number;
}

export interface AgentParts {
  readonly source: FlowSource;
  /** First packets of a flow that the model looks at. */
  readonly packets: number;
  readonly tally: WindowTally;
  /** Open flows whose label is remembered. */
  readonly maxFlows: number;
  /** Told of every label as it comes. */
  readonly labelled: (prediction: Prediction, seen: Seen) => void;
}

/** An open flow's last label, and what it rests on. */
interface LastLabel {
  readonly prediction: Prediction;
  readonly packets: number;
}

/** Where the main loop's time goes, in microseconds. */
export interface AgentTimings {
  readonly handshakeAndFeatures: number;
  readonly flows: number;
}

export class Agent {
  readonly #parts: AgentParts;
  /** Of open flows that have been labelled; a flow is in it from its first label to its end. */
  readonly #labels = new Map<number, LastLabel>();
  #queue: ClassifyQueue<Seen> | undefined;
  readonly #handshakes = new HandshakeCounts();
  #featuresUs = 0;
  #flows = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Takes an answer of the queue. */
  answered(prediction: Prediction, seen: Seen): void {
    this.#parts.labelled(prediction, seen);
    if (!seen.final) {
      this.#remember(seen.id, { prediction, packets: seen.packets });
      return;
    }
    this.#labels.delete(seen.id);
    this.#parts.tally.add(prediction.class, countsOf(seen.flow));
  }

  /** Runs until the source ends or `signal` aborts, and every flow has been labelled and counted. */
  async run(queue: ClassifyQueue<Seen>, signal: AbortSignal): Promise<void> {
    this.#queue = queue;
    const { source } = this.#parts;
    for await (const batch of source.batches(signal)) {
      for (const flow of batch) {
        if (source.patient) await queue.room();
        this.#consider(flow);
      }
      batch.release();
    }
    await queue.settled();
  }

  /** Of flows that have ended, by kind, version of QUIC and state. */
  handshakes(): Readonly<Record<string, number>> {
    return this.#handshakes.byName();
  }

  timings(): AgentTimings {
    return { handshakeAndFeatures: this.#featuresUs, flows: this.#flows };
  }

  /** A flow that the table gave up never ends here: the bound keeps such from gathering. */
  #remember(id: number, label: LastLabel): void {
    this.#labels.set(id, label);
    if (this.#labels.size <= this.#parts.maxFlows) return;
    const [oldest] = this.#labels.keys();
    if (oldest !== undefined) this.#labels.delete(oldest);
  }

  #consider(flow: FlowRecord): void {
    const start = performance.now();
    const final = flow.endReason !== 'open';
    const handshake = handshakeOf(flow);
    if (final) {
      this.#flows++;
      this.#handshakes.add(handshake);
    }
    if (handshake.kind === undefined) {
      if (final) this.#parts.tally.add(OTHER, countsOf(factsOfFlow(flow)));
      return;
    }
    const packets = Math.min(flow.seriesPackets, this.#parts.packets);
    const seen: Seen = {
      id: flow.id,
      final,
      packets,
      handshake: factsOf(handshake),
      flow: factsOfFlow(flow),
    };
    const last = this.#labels.get(flow.id);
    // Nothing new for the model: the last label stands.
    if (final && last !== undefined && last.packets === packets) {
      this.answered(last.prediction, seen);
      return;
    }
    const taken = this.#queue?.add(flow, handshake, seen) === true;
    this.#featuresUs += (performance.now() - start) * 1000;
    if (taken || !final) return;
    // The queue is full and has counted it: what is known must do.
    const fallback = { class: UNKNOWN, probability: 0, likeliest: UNKNOWN };
    this.answered(last?.prediction ?? fallback, seen);
  }
}

function factsOfFlow(flow: FlowRecord): FlowFacts {
  const { packets, bytes } = flow;
  return {
    protocol: flow.transport,
    client: flow.client,
    clientPort: flow.clientPort,
    server: flow.server,
    serverPort: flow.serverPort,
    packetsUp: packets.up,
    packetsDown: packets.down,
    bytesUp: bytes.up,
    bytesDown: bytes.down,
    startUs: flow.startUs,
    durationUs: Math.round(flow.durationNs / 1000),
  };
}

function countsOf(flow: FlowFacts): ClassCount {
  const { packetsUp, packetsDown, bytesUp, bytesDown } = flow;
  return { flows: 1, packetsUp, packetsDown, bytesUp, bytesDown };
}
