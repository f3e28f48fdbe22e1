// Flows of a router as they end -> labelled rows without names, addresses or payload. The server's name makes the label in memory
// and is forgotten; addresses become pseudonyms with a key that nobody has once the run is over.

import { randomBytes } from 'node:crypto';
import { FEATURE_VERSION } from '../features/features.ts';
import { PAPER_RULE } from '../features/packet-rule.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { factsOf } from '../handshake/facts.ts';
import { type Handshake, handshakeOf } from '../handshake/handshake.ts';
import { OCCLUSION_VERSION } from '../handshake/occlusion.ts';
import { CollectFiles, type CollectFilesOptions } from './collect-files.ts';
import { DailySampling } from './collect-sampling.ts';
import { CollectSessions, type LiveSession } from './collect-sessions.ts';
import type { DatasetOptions } from './dataset-manifest.ts';
import type { DatasetRow } from './dataset-schema.ts';
import { flowDraft } from './flow-draft.ts';
import { labelColumns } from './label-columns.ts';
import type { LabelTable } from './label-table.ts';
import { type Pseudonyms, pseudonymsBy } from './pseudonyms.ts';
import { lookColumns } from './row-tensors.ts';
import { type SessionFlow, sessionFlow } from './sessions.ts';

/** The `source` of collected rows. */
export const COLLECT_SOURCE = 'collect';

export interface CollectOptions
  extends Omit<CollectFilesOptions, 'description' | 'directory'> {
  readonly directory: string;
  readonly labels: LabelTable;
  readonly labelsSha256: string;
  /** Of pseudonyms. */
  readonly key: Uint8Array;
  /** Stored of a flow. */
  readonly packets: number;
  /** Starts are rounded down to it; 0: left out. */
  readonly startGrainUs: number;
  /** Flows of a class and a day; 0: all. */
  readonly perClass: number;
  /** Flows without a label are kept too, as a class of their own. */
  readonly unlabelled: boolean;
  /** Flows with fewer packets are left out. */
  readonly minPackets: number;
  /** Bound of what is remembered of sessions. */
  readonly maxSessions: number;
}

/** Since the start of the run. */
export interface CollectCounters {
  readonly flows: number;
  /** Of these: */
  readonly withHandshake: number;
  readonly byName: number;
  readonly bySession: number;
  readonly unlabelled: number;
  readonly tooShort: number;
  readonly sampledOut: number;
  readonly written: number;
  readonly rowsLost: number;
  readonly sessionsForgotten: number;
  readonly filesWritten: number;
  readonly filesDropped: number;
  readonly bytesDropped: number;
  readonly bytesOnDisk: number;
  /** Rows written, by service. */
  readonly services: Readonly<Record<string, number>>;
}

const OCCLUSION = { shown: [] } as const;
/** Of flows without a label: no service is called so. */
const UNLABELLED = '(unlabelled)';

/** What collected rows have in common with those of a data set. */
function collectedOptions(packets: number, labelsSha256: string): DatasetOptions {
  return {
    featureVersion: FEATURE_VERSION,
    occlusion: { version: OCCLUSION_VERSION, shown: [...OCCLUSION.shown] },
    storedPackets: packets,
    looks: [],
    keepSni: false,
    labelsSha256,
  };
}

export class Collector {
  readonly #options: CollectOptions;
  readonly #files: CollectFiles;
  readonly #sessions: CollectSessions;
  readonly #sampling: DailySampling;
  readonly #pseudonyms: Pseudonyms;
  /** Sessions of one number in two runs are two, whatever the key is. */
  readonly #run = randomBytes(8).toString('hex');
  readonly #services = new Map<string, number>();
  readonly #counts = {
    flows: 0,
    withHandshake: 0,
    byName: 0,
    bySession: 0,
    unlabelled: 0,
    tooShort: 0,
    sampledOut: 0,
    written: 0,
  };

  /** @throws InputError ERR_OUTPUT */
  constructor(options: CollectOptions) {
    const { packets, labelsSha256 } = options;
    this.#options = options;
    const recipe = 'collect 1';
    this.#files = new CollectFiles({
      ...options,
      description: {
        recipe,
        digest: recipe,
        options: collectedOptions(packets, labelsSha256),
        source: COLLECT_SOURCE,
      },
    });
    this.#sessions = new CollectSessions(options.maxSessions);
    this.#sampling = new DailySampling(options.perClass);
    this.#pseudonyms = pseudonymsBy(options.key);
  }

  /** @returns files removed that a run left unfinished that was killed */
  removeStale(): number {
    return this.#files.removeStale();
  }

  /**
   * Takes a flow that has ended; nothing points into the record afterwards.
   *
   * @param nowMs of the clock, for the rotation of files
   */
  take(flow: FlowRecord, nowMs: number): void {
    const counts = this.#counts;
    counts.flows++;
    const handshake = handshakeOf(flow);
    if (handshake.kind !== undefined) counts.withHandshake++;
    const { sni } = factsOf(handshake);
    const label = sni === null ? undefined : this.#options.labels.find(sni);
    const seen = sessionFlow(flow, handshake, label);
    const session = this.#sessions.take(seen);
    if (session.source === 'name') counts.byName++;
    else if (session.source === 'session') counts.bySession++;
    else counts.unlabelled++;
    if (!this.#isWanted(flow, session, seen.endUs)) return;
    const row = this.#row(flow, handshake, session, seen);
    const before = this.#files.rowsLost;
    this.#files.add(row, nowMs);
    if (this.#files.rowsLost > before) return;
    counts.written++;
    const service = session.label?.service ?? UNLABELLED;
    this.#services.set(service, (this.#services.get(service) ?? 0) + 1);
  }

  tick(nowMs: number): void {
    this.#files.tick(nowMs);
  }

  /** Ends the file at work. */
  finish(): void {
    this.#files.finish();
  }

  counters(): CollectCounters {
    const { rowsLost, filesWritten, filesDropped, bytesDropped, bytes } = this.#files;
    return {
      ...this.#counts,
      rowsLost,
      sessionsForgotten: this.#sessions.forgotten,
      filesWritten,
      filesDropped,
      bytesDropped,
      bytesOnDisk: bytes,
      services: Object.fromEntries(
        [...this.#services].sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    };
  }

  #isWanted(flow: FlowRecord, { label }: LiveSession, endUs: number): boolean {
    if (label === undefined && !this.#options.unlabelled) return false;
    const { up, down } = flow.packets;
    if (up + down < this.#options.minPackets) {
      this.#counts.tooShort++;
      return false;
    }
    if (this.#sampling.take(label?.service ?? UNLABELLED, endUs)) return true;
    this.#counts.sampledOut++;
    return false;
  }

  #row(
    flow: FlowRecord,
    handshake: Handshake,
    found: LiveSession,
    { software }: SessionFlow,
  ): DatasetRow {
    const { row, client, server, sni } = flowDraft(flow, handshake, OCCLUSION);
    const { startGrainUs } = this.#options;
    const of = this.#pseudonyms;
    const startUs = row.startUs ?? 0;
    return {
      ...row,
      flow: this.#counts.written,
      // The id of the file is the hash of its content: an import writes it.
      capture: '',
      source: COLLECT_SOURCE,
      session: of('session', `${this.#run} ${found.session}`),
      client: of('client', client),
      host: of('host', sni?.toLowerCase() ?? server),
      startUs: startGrainUs === 0 ? null : startUs - (startUs % startGrainUs),
      ...labelColumns(undefined, found),
      software: software ?? null,
      ...lookColumns(row, [], PAPER_RULE),
    };
  }
}
