// One capture -> its rows, in the order of their start. Flows come as they end; sessions, labels and numbers need all of them:
// so rows wait in a spool, and what stays in memory is some hundred bytes a flow (docs/dataset.md#memory).

import type { FlowTableCounters } from '../capture/native.ts';
import { PAPER_RULE } from '../features/packet-rule.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { type CaptureSummary, emptySummary, readFlows } from '../flow/read-flows.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import type { BuildOptions } from './build-options.ts';
import { captureTable } from './capture-table.ts';
import { partialPath } from './dataset-file.ts';
import type { DatasetRow } from './dataset-schema.ts';
import { type FlowDraft, flowDraft } from './flow-draft.ts';
import { labelColumns } from './label-columns.ts';
import type { LabelMatch, LabelTable } from './label-table.ts';
import { type Pseudonyms, pseudonymsBy } from './pseudonyms.ts';
import { RowSpool, type Spooled } from './row-spool.ts';
import { lookColumns } from './row-tensors.ts';
import { type SessionFlow, type Sessions, sessionFlow, sessionsOf } from './sessions.ts';
import { endsOf, type Sidecar } from './sidecar.ts';

/** A capture to be built. */
export interface CaptureJob {
  readonly path: string;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
}

export interface CaptureTools {
  readonly id: string;
  readonly source: string;
  readonly options: BuildOptions;
  readonly table: LabelTable;
  /** What whoever made the traffic says of its flows; undefined: nothing. */
  readonly labels: Sidecar | undefined;
  /** Told now and then how far the capture has been read. */
  readonly onProgress: (counters: FlowTableCounters) => void;
}

/** A flow whose row waits. */
interface Waiting {
  readonly startUs: number;
  readonly ends: string;
  /** undefined: it has too few packets for a row. */
  readonly spooled: Spooled | undefined;
  readonly session: SessionFlow;
}

export class CaptureRows {
  readonly #job: CaptureJob;
  readonly #tools: CaptureTools;
  readonly #spool: RowSpool<FlowDraft>;
  readonly #waiting: Waiting[] = [];
  readonly #texts = new Map<string, string>();
  readonly #matches = new Map<string, LabelMatch>();
  readonly #pseudonyms: Pseudonyms;

  constructor(job: CaptureJob, tools: CaptureTools) {
    const { options, id } = tools;
    this.#job = job;
    this.#tools = tools;
    this.#spool = new RowSpool(partialPath(options.directory, `${id}.spool`));
    this.#pseudonyms = pseudonymsBy(options.key ?? Buffer.from(job.sha256, 'hex'));
  }

  /** Reads the whole capture. @throws InputError: it cannot be read, or the spool not written */
  async read(): Promise<CaptureSummary> {
    const { options, onProgress } = this.#tools;
    const { path } = this.#job;
    const summary = emptySummary();
    for await (const batch of readFlows(
      path,
      await captureTable(path, options),
      summary,
    )) {
      for (const flow of batch) this.#take(flow);
      if (summary.table !== undefined) onProgress(summary.table.counters());
    }
    return summary;
  }

  #keep(text: string): string {
    this.#texts.set(text, text);
    return text;
  }

  /** The rows, once all has been read; once. */
  *rows(): Generator<DatasetRow, void, undefined> {
    const waiting = this.#waiting.sort(byStart);
    const sessions = sessionsOf(waiting.map(({ session }) => session));
    for (const flow of waiting.keys()) {
      const row = this.#row(flow, sessions);
      if (row !== undefined) yield row;
    }
  }

  close(): void {
    this.#spool.close();
  }

  #take(flow: FlowRecord): void {
    const { options, table } = this.#tools;
    const handshake = handshakeOf(flow);
    const { sni } = factsOf(handshake);
    const label = sni === null ? undefined : table.find(sni);
    const { up, down } = flow.packets;
    const wanted = up + down >= options.minPackets;
    this.#waiting.push({
      startUs: flow.startUs,
      ends: flat(endsOf(flow)),
      spooled: wanted
        ? this.#spool.add(flowDraft(flow, handshake, options.dataset.occlusion))
        : undefined,
      session: this.#slim(sessionFlow(flow, handshake, label)),
    });
  }

  /** The same with texts and labels that flows share: of millions each would have its own. */
  #slim(flow: SessionFlow): SessionFlow {
    const { peers, software, resumption, label } = flow;
    return {
      ...flow,
      peers: this.#texts.get(peers) ?? this.#keep(flat(peers)),
      software:
        software === undefined ? undefined : shared(this.#texts, software, software),
      resumption: resumption.length === 0 ? NOTHING : resumption,
      label:
        label === undefined
          ? undefined
          : shared(this.#matches, `${label.place} ${label.matched}`, label),
    };
  }

  #row(flow: number, sessions: Sessions): DatasetRow | undefined {
    const { options, id, source, labels } = this.#tools;
    const waiting = this.#waiting[flow];
    const found = sessions.flows[flow];
    if (waiting === undefined || found === undefined) return undefined;
    const acted = labels?.take(waiting.ends, waiting.startUs);
    if (waiting.spooled === undefined) return undefined;
    if (options.onlyLabelled && acted === undefined && found.label === undefined) {
      return undefined;
    }
    const draft = this.#spool.get(waiting.spooled);
    const { looks, keepSni } = options.dataset;
    const of = this.#pseudonyms;
    // The hash makes sessions of one number in two captures two sessions.
    const session = acted === undefined ? found.session : `acted ${acted.session}`;
    return {
      ...draft.row,
      flow,
      capture: id,
      source,
      session: of('session', `${this.#job.sha256} ${session}`),
      client: of('client', draft.client),
      host: of('host', draft.sni?.toLowerCase() ?? draft.server),
      ...labelColumns(acted, found),
      software: waiting.session.software ?? null,
      ...(keepSni && { sni: draft.sni }),
      ...lookColumns(draft.row, looks, PAPER_RULE),
    };
  }
}

const NOTHING: readonly string[] = [];

function shared<T>(known: Map<string, T>, key: string, value: T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  known.set(key, value);
  return value;
}

/** A text that was put together keeps its pieces, some 300 bytes: a copy is one piece. Addresses and ports are ASCII. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function byStart(a: Waiting, b: Waiting): number {
  if (a.startUs !== b.startUs) return a.startUs - b.startUs;
  if (a.ends !== b.ends) return a.ends < b.ends ? -1 : 1;
  if (a.session.peers === b.session.peers) return 0;
  return a.session.peers < b.session.peers ? -1 : 1;
}
