// Flows -> sessions: several flows of one client with one service. Labels spread inside a session, because often only its
// first flow bears the name (paper 3.3). Sessions are for labelling only: no model sees one.
//
// Two flows are of one session where
//   - the TLS session is the same: the id that a server gave, up to TLS 1.2, comes back in a later ClientHello, or two
//     ClientHellos offer the same ticket (RFC 5246 7.4.1.2, RFC 5077); of TLS 1.3 neither can be told, ids being random
//     and tickets used once; or
//   - client, server address and server port are the same, the later one begins within 300 s of the earlier one's end
//     (paper 3.3 [A]), and they may be of one machine: behind a NAT many clients share an address, and what tells them
//     apart is their software, as the ClientHello shows it. Two machines with the same software behind one
//     address are taken for one. A flow without a ClientHello joins only where the software leaves no choice.

import { createHash } from 'node:crypto';
import type { FlowRecord } from '../flow/flow-record.ts';
import { uint16s } from '../handshake/cursor.ts';
import type { Handshake } from '../handshake/handshake.ts';
import {
  alpnOf,
  chosenVersion,
  EXTENSION,
  findExtension,
  type Hello,
  isGrease,
} from '../handshake/hello.ts';
import type { LabelMatch } from './label-table.ts';

/** Paper 3.3 [A]. */
export const SESSION_GAP_US = 300_000_000;
const TLS_1_3 = 0x0304;
/** Extensions that one program sends in some of its ClientHellos only. */
const COMES_AND_GOES: ReadonlySet<number> = new Set([
  EXTENSION.serverName,
  EXTENSION.padding,
  EXTENSION.sessionTicket,
  EXTENSION.preSharedKey,
  EXTENSION.earlyData,
  EXTENSION.cookie,
]);

/** What sessions are made of; nothing points into the record. */
export interface SessionFlow {
  /** Client, server, server's port and transport: one text. */
  readonly peers: string;
  readonly startUs: number;
  readonly endUs: number;
  /** Digest of what a ClientHello says of the client's program; undefined: there is none. */
  readonly software: string | undefined;
  /** Digests of TLS session ids and tickets. */
  readonly resumption: readonly string[];
  /** From the server's name. */
  readonly label: LabelMatch | undefined;
}

export function sessionFlow(
  flow: FlowRecord,
  { kind, hellos }: Handshake,
  label: LabelMatch | undefined,
): SessionFlow {
  const client = hellos.find((hello): hello is Hello => hello.kind === 'client');
  const server = hellos.find((hello): hello is Hello => hello.kind === 'server');
  const { startUs } = flow;
  return {
    peers: `${kind ?? flow.transport} ${flow.client} ${flow.server} ${flow.serverPort}`,
    startUs,
    endUs: startUs + flow.durationNs / 1000,
    software: client === undefined ? undefined : softwareOf(client),
    resumption: resumptionOf(client, server),
    label,
  };
}

const digest = (kind: string, bytes: Uint8Array): string =>
  createHash('sha256').update(kind).update(bytes).digest('base64url').slice(0, 22);

/**
 * What of a ClientHello is the same for all connections of one program: sorted, as browsers shuffle their extensions, and
 * without what comes and goes with name, ticket and retry. GREASE is drawn anew each time.
 */
function softwareOf(client: Hello): string {
  const plain = (values: readonly number[]): number[] =>
    values.filter((v) => !isGrease(v));
  const list = (type: number, behind: number): number[] =>
    plain(uint16s(findExtension(client, type)?.subarray(behind) ?? new Uint8Array(0)));
  const sorted = (values: readonly number[]): string =>
    values.toSorted(byValue).join(' ');
  const types = (client.extensions ?? []).map(({ type }) => type);
  const text = [
    client.legacyVersion,
    sorted(plain(uint16s(client.cipherSuites))),
    sorted(plain(types).filter((type) => !COMES_AND_GOES.has(type))),
    sorted(list(EXTENSION.supportedVersions, 1)),
    list(EXTENSION.supportedGroups, 2).join(' '),
    list(EXTENSION.signatureAlgorithms, 2).join(' '),
    alpnOf(client).join(' '),
  ].join(',');
  return digest('software', Buffer.from(text));
}

const byValue = (a: number, b: number): number => a - b;

function resumptionOf(client: Hello | undefined, server: Hello | undefined): string[] {
  const found: string[] = [];
  const ticket = client && findExtension(client, EXTENSION.sessionTicket);
  if (ticket !== undefined && ticket.byteLength > 0) found.push(digest('ticket', ticket));
  // Of TLS 1.3 the id is an echo of noise (RFC 8446 4.1.2).
  if (server === undefined || chosenVersion(server) >= TLS_1_3) return found;
  if (server.sessionId.byteLength > 0) found.push(digest('id', server.sessionId));
  if (client !== undefined && client.sessionId.byteLength > 0) {
    found.push(digest('id', client.sessionId));
  }
  return found;
}

/** What became of a flow. */
interface SessionLabel {
  /** Number of its session, in the order of their first flows. */
  readonly session: number;
  readonly label: LabelMatch | undefined;
  /** `session`: the name was another flow's. undefined: no label. */
  readonly source: 'name' | 'session' | undefined;
}

export interface Sessions {
  /** One a flow, in the order of the flows given. */
  readonly flows: readonly SessionLabel[];
  readonly sessions: number;
  /** Sessions whose names stand for different services: there nothing spreads. */
  readonly conflicts: number;
}

/** Groups flows and spreads labels; the answer does not depend on their order but for the numbers. */
export function sessionsOf(flows: readonly SessionFlow[]): Sessions {
  const groups = new Groups(flows.length);
  joinResumed(flows, groups);
  joinNear(flows, groups);
  const members = new Map<number, number[]>();
  for (const i of flows.keys()) {
    const root = groups.rootOf(i);
    const group = members.get(root);
    if (group === undefined) members.set(root, [i]);
    else group.push(i);
  }
  const found = new Array<SessionLabel>(flows.length);
  let conflicts = 0;
  for (const [session, group] of [...members.values()].entries()) {
    const names = group.flatMap((i) => flows[i]?.label ?? []);
    const services = new Set(names.map(({ service }) => service));
    if (services.size > 1) conflicts++;
    const spread = services.size === 1 ? commonLabel(names) : undefined;
    for (const i of group) {
      const own = flows[i]?.label;
      const source =
        own !== undefined ? 'name' : spread !== undefined ? 'session' : undefined;
      found[i] = { session, label: own ?? spread, source };
    }
  }
  return { flows: found, sessions: members.size, conflicts };
}

/** The first one; without an application where they name several. */
function commonLabel(names: readonly LabelMatch[]): LabelMatch | undefined {
  const [first] = names;
  if (first === undefined) return undefined;
  const alike = names.every(({ application }) => application === first.application);
  return alike ? first : { ...first, application: undefined };
}

function joinResumed(flows: readonly SessionFlow[], groups: Groups): void {
  const holders = new Map<string, number>();
  for (const [i, { resumption }] of flows.entries()) {
    for (const key of resumption) {
      const holder = holders.get(key);
      if (holder === undefined) holders.set(key, i);
      else groups.join(holder, i);
    }
  }
}

/** Flows of the same peers, chained while the gap to what came before is small enough. */
function joinNear(flows: readonly SessionFlow[], groups: Groups): void {
  const byPeers = new Map<string, number[]>();
  for (const [i, { peers }] of flows.entries()) {
    const same = byPeers.get(peers);
    if (same === undefined) byPeers.set(peers, [i]);
    else same.push(i);
  }
  const start = (i: number): number => flows[i]?.startUs ?? 0;
  for (const same of byPeers.values()) {
    same.sort((a, b) => start(a) - start(b) || a - b);
    for (const stretch of stretchesOf(same, flows)) joinSoftware(stretch, flows, groups);
  }
}

/** Cuts flows in order of time where nothing has been going on for longer than the gap. */
function stretchesOf(
  ordered: readonly number[],
  flows: readonly SessionFlow[],
): number[][] {
  const stretches: number[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const i of ordered) {
    const flow = flows[i];
    if (flow === undefined) continue;
    const last = stretches.at(-1);
    if (last === undefined || flow.startUs > until + SESSION_GAP_US) stretches.push([i]);
    else last.push(i);
    until = Math.max(until, flow.endUs);
  }
  return stretches;
}

function joinSoftware(
  stretch: readonly number[],
  flows: readonly SessionFlow[],
  groups: Groups,
): void {
  const first = new Map<string, number>();
  const unknown: number[] = [];
  for (const i of stretch) {
    const software = flows[i]?.software;
    if (software === undefined) {
      unknown.push(i);
      continue;
    }
    const holder = first.get(software);
    if (holder === undefined) first.set(software, i);
    else groups.join(holder, i);
  }
  // One kind of software, or none at all: then they are of one machine as far as can be told.
  if (first.size > 1) return;
  const holder = first.values().next().value ?? unknown[0];
  for (const i of unknown) if (holder !== undefined) groups.join(holder, i);
}

/** Disjoint sets; the least member is a set's root. */
export class Groups {
  readonly #parent: Int32Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, i) => i);
  }

  rootOf(i: number): number {
    let root = i;
    for (let up = this.#up(root); up !== root; up = this.#up(root)) root = up;
    // Short-cuts for the next time.
    for (let at = i; at !== root; ) {
      const up = this.#up(at);
      this.#parent[at] = root;
      at = up;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.rootOf(a), this.rootOf(b)];
    this.#parent[Math.max(one, other)] = Math.min(one, other);
  }

  #up(i: number): number {
    return this.#parent[i] ?? i;
  }
}
