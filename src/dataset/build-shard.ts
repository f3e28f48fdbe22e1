// One capture -> its shard. Flows come as they end; sessions, labels and numbers need all of them: so rows wait in a spool,
// and what stays in memory is some hundred bytes a flow (docs/dataset.md#memory).

import { basename } from 'node:path';
import type { FlowTableCounters } from '../capture/native.ts';
import { openPlainFile } from '../capture/open-capture.ts';
import { PAPER_RULE } from '../features/packet-rule.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { emptySummary, readFlows } from '../flow/read-flows.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { type BuildOptions, recipeOf, shardDigest } from './build-options.ts';
import { fileSha256, partialPath, ShardWriter, shardPath } from './dataset-file.ts';
import type { CaptureEntry } from './dataset-manifest.ts';
import { shardDescription } from './dataset-reader.ts';
import { type FlowDraft, flowDraft } from './flow-draft.ts';
import type { LabelMatch, LabelTable } from './label-table.ts';
import { type Pseudonyms, pseudonymsBy } from './pseudonyms.ts';
import { RowSpool, type Spooled } from './row-spool.ts';
import { lookColumns } from './row-tensors.ts';
import { type SessionFlow, type Sessions, sessionFlow, sessionsOf } from './sessions.ts';
import type { ShardDescription } from './shard-description.ts';
import {
  endsOf,
  readSidecar,
  Sidecar,
  type SidecarLabel,
  sidecarPath,
} from './sidecar.ts';

/** A capture to be built. */
export interface CaptureJob {
  readonly path: string;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
}

export interface BuiltShard {
  readonly entry: CaptureEntry;
  /** It stood already. */
  readonly kept: boolean;
  /** What went wrong without being a fault, for people. */
  readonly warnings: readonly string[];
}

export interface ShardTools {
  readonly options: BuildOptions;
  readonly table: LabelTable;
  /** Told now and then how far the capture has been read. */
  readonly onProgress: (counters: FlowTableCounters) => void;
}

const ID_DIGITS = 16;
/** Any fixed number: where a full table pushes flows out, it is always the same ones. */
const TABLE_SEED = 1;
const MAX_FLOWS = 65_536;
const POOL_BYTES = 256 * 1024 * 1024;
/** A frame of a capture file takes more than that with its head; a flow takes two. */
const FLOW_FILE_BYTES = 64;
/** A flow of two small packets takes three chunks of the pool. */
const POOL_A_FILE_BYTE = 8;
const SMALL_POOL_BYTES = 4 * 1024 * 1024;
const SMALL_FLOWS = 1_024;

/**
 * Builds a capture's shard, unless it stands with the same options.
 *
 * @throws InputError: the capture or its labels cannot be read, the shard not written
 */
export async function buildShard(
  job: CaptureJob,
  tools: ShardTools,
): Promise<BuiltShard> {
  const { options } = tools;
  const sidecar = await readSidecar(job.path);
  const recipe = recipeOf(options);
  const digest = shardDigest(recipe, sidecar);
  const id = job.sha256.slice(0, ID_DIGITS);
  const standing = await standingShard(options.directory, id, digest);
  const name = basename(job.path);
  if (standing !== undefined) {
    return {
      entry: await entryOf(options.directory, id, name, standing),
      kept: true,
      warnings: [],
    };
  }
  const labels =
    sidecar === undefined
      ? undefined
      : new Sidecar(sidecar.toString('utf8'), sidecarPath(job.path));
  const build = new ShardBuild(job, { ...tools, id, labels });
  try {
    const { warnings, description } = await build.run({ recipe, digest });
    const standing = { description, rows: build.rows };
    return {
      entry: await entryOf(options.directory, id, name, standing),
      kept: false,
      warnings,
    };
  } finally {
    build.close();
  }
}

interface StandingShard {
  readonly description: ShardDescription;
  readonly rows: number;
}

async function standingShard(
  directory: string,
  id: string,
  digest: string,
): Promise<StandingShard | undefined> {
  const found = await shardDescription(shardPath(directory, id));
  return found?.description.digest === digest ? found : undefined;
}

async function entryOf(
  directory: string,
  id: string,
  name: string,
  { description, rows }: StandingShard,
): Promise<CaptureEntry> {
  const sha256 = await fileSha256(shardPath(directory, id));
  const { source, counters } = description;
  return { id, name, source, rows, sha256, counters };
}

/** A flow whose row waits. */
interface Waiting {
  readonly startUs: number;
  readonly ends: string;
  /** undefined: it has too few packets for a row. */
  readonly spooled: Spooled | undefined;
  readonly session: SessionFlow;
}

interface ShardBuildTools extends ShardTools {
  readonly id: string;
  readonly labels: Sidecar | undefined;
}

class ShardBuild {
  rows = 0;
  readonly #job: CaptureJob;
  readonly #tools: ShardBuildTools;
  readonly #spool: RowSpool<FlowDraft>;
  readonly #waiting: Waiting[] = [];
  readonly #texts = new Map<string, string>();
  readonly #matches = new Map<string, LabelMatch>();
  readonly #pseudonyms: Pseudonyms;

  constructor(job: CaptureJob, tools: ShardBuildTools) {
    const { options, id } = tools;
    this.#job = job;
    this.#tools = tools;
    this.#spool = new RowSpool(partialPath(options.directory, `${id}.spool`));
    this.#pseudonyms = pseudonymsBy(options.key ?? Buffer.from(job.sha256, 'hex'));
  }

  async run(
    made: Pick<ShardDescription, 'recipe' | 'digest'>,
  ): Promise<{ warnings: string[]; description: ShardDescription }> {
    const { options, labels } = this.#tools;
    const summary = await this.#read();
    const counters = countersOf(summary.counters);
    const description: ShardDescription = {
      ...made,
      options: options.dataset,
      source: labels === undefined ? 'capture' : 'lab',
      counters: { ...counters, ...(summary.truncated !== undefined && { truncated: 1 }) },
    };
    this.#write(description);
    return { warnings: this.#warnings(summary.truncated, counters), description };
  }

  close(): void {
    this.#spool.close();
  }

  async #read() {
    const { options, onProgress } = this.#tools;
    const summary = emptySummary();
    const table = {
      tunnels: options.tunnels,
      seriesPackets: options.dataset.storedPackets,
      seed: TABLE_SEED,
      ...(await tableSize(this.#job.path)),
    };
    for await (const batch of readFlows(this.#job.path, table, summary)) {
      for (const flow of batch) this.#take(flow);
      if (summary.table !== undefined) onProgress(summary.table.counters());
    }
    return summary;
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
      ends: endsOf(flow),
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
      peers: shared(this.#texts, peers, peers),
      software:
        software === undefined ? undefined : shared(this.#texts, software, software),
      resumption: resumption.length === 0 ? NOTHING : resumption,
      label:
        label === undefined
          ? undefined
          : shared(this.#matches, `${label.place} ${label.matched}`, label),
    };
  }

  #write(description: ShardDescription): void {
    const { options, id } = this.#tools;
    const waiting = this.#waiting.sort(byStart);
    const sessions = sessionsOf(waiting.map(({ session }) => session));
    const { looks, keepSni } = options.dataset;
    const shard = new ShardWriter(options.directory, {
      id,
      looks,
      keepSni,
      description: { ...description },
    });
    try {
      for (const flow of waiting.keys()) {
        const row = this.#row(flow, sessions, description.source);
        if (row !== undefined) shard.add(row);
      }
      shard.finish();
      this.rows = shard.rows;
    } catch (fault) {
      shard.discard();
      throw fault;
    }
  }

  #row(flow: number, sessions: Sessions, source: string) {
    const { options, id, labels } = this.#tools;
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
    const session = acted?.session ?? String(found.session);
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

  #warnings(truncated: string | undefined, counters: Record<string, number>): string[] {
    const name = basename(this.#job.path);
    const warnings: string[] = [];
    if (truncated !== undefined) {
      warnings.push(`${name}: warning: ${truncated}; read to the last whole frame`);
    }
    const { flowsEvicted = 0, poolFull = 0 } = counters;
    if (flowsEvicted > 0 || poolFull > 0) {
      warnings.push(
        `${name}: warning: more flows at a time than the flow table takes: ${flowsEvicted} were cut short, ${poolFull} packets not stored; split the capture by hosts`,
      );
    }
    const unmatched = this.#tools.labels?.left ?? 0;
    if (unmatched > 0) {
      warnings.push(
        `${name}: warning: ${unmatched} lines of ${basename(sidecarPath(this.#job.path))} are of no flow of it`,
      );
    }
    return warnings;
  }
}

/** A plain small capture cannot fill a big table: making one takes longer than reading it. */
async function tableSize(path: string): Promise<{ maxFlows: number; poolBytes: number }> {
  const file = await openPlainFile(path);
  if (file === undefined) return { maxFlows: MAX_FLOWS, poolBytes: POOL_BYTES };
  const { size } = await file.stat();
  await file.close();
  return {
    maxFlows: Math.min(MAX_FLOWS, SMALL_FLOWS + Math.ceil(size / FLOW_FILE_BYTES)),
    poolBytes: Math.min(POOL_BYTES, SMALL_POOL_BYTES + POOL_A_FILE_BYTE * size),
  };
}

const NOTHING: readonly string[] = [];

function shared<T>(known: Map<string, T>, key: string, value: T): T {
  const before = known.get(key);
  if (before !== undefined) return before;
  known.set(key, value);
  return value;
}

function byStart(a: Waiting, b: Waiting): number {
  if (a.startUs !== b.startUs) return a.startUs - b.startUs;
  if (a.ends !== b.ends) return a.ends < b.ends ? -1 : 1;
  if (a.session.peers === b.session.peers) return 0;
  return a.session.peers < b.session.peers ? -1 : 1;
}

function labelColumns(
  acted: SidecarLabel | undefined,
  { label, source }: Sessions['flows'][number],
) {
  const none = {
    scenario: null,
    seed: null,
    clientSoftware: null,
    serverSoftware: null,
    profile: null,
  };
  if (acted === undefined) {
    const byName = label?.by === 'category' ? 'category' : 'name';
    return {
      ...none,
      service: label?.service ?? null,
      application: label?.application ?? null,
      labelSource: label === undefined ? null : source === 'session' ? 'session' : byName,
    };
  }
  return {
    service: acted.service,
    application: acted.application ?? null,
    labelSource: 'acted',
    scenario: acted.scenario ?? null,
    seed: acted.seed ?? null,
    clientSoftware: acted.clientSoftware ?? acted.clientProfile ?? null,
    serverSoftware: acted.serverSoftware ?? null,
    profile: acted.profile ?? null,
  };
}

function countersOf(counters: FlowTableCounters | undefined): Record<string, number> {
  if (counters === undefined) return {};
  const { frames, packets, bytes, flowsCreated, flowsWithoutPayload, poolFull } =
    counters;
  return {
    frames,
    packets,
    bytes,
    dropped: Object.values(counters.drops).reduce((sum, count) => sum + count, 0),
    flows: flowsCreated,
    flowsWithoutPayload,
    flowsEvicted: counters.flowsEnded.evicted ?? 0,
    poolFull,
  };
}
