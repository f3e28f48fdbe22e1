// A flow -> the hellos of its handshake: TLS over TCP, DTLS and QUIC over UDP. What people want to know of them is in
// facts.ts, what a model sees in occlusion.ts.

import type { Direction, FlowRecord, Segment } from '../flow/flow-record.ts';
import { dtlsHellos, isDtlsHandshake } from './dtls.ts';
import type { GquicHello } from './gquic.ts';
import {
  CLIENT_HELLO,
  type HandshakeMessage,
  type Hello,
  parseHello,
  SERVER_HELLO,
} from './hello.ts';
import { type QuicHandshake, readQuic } from './quic.ts';
import { streamStart } from './reassembly.ts';
import { recordHellos, tlsStart } from './tls-records.ts';

/** Full: both hellos whole. Partial: one of them, or one that breaks off. None: no hello found. */
const HANDSHAKE_STATES = ['full', 'partial', 'none'] as const;
export type HandshakeState = (typeof HANDSHAKE_STATES)[number];
export type HandshakeKind = 'tls' | 'dtls' | 'quic';

/** What was found of a handshake. `kind` undefined: the flow shows none. */
export interface Handshake {
  readonly kind: HandshakeKind | undefined;
  /** QUIC of an unknown version, or without its first packets, is of a kind and yet 'none'. */
  readonly state: HandshakeState;
  /** In the order of the handshake: ClientHello, ServerHello or HelloRetryRequest, second ClientHello, ... */
  readonly hellos: readonly (Hello | GquicHello)[];
  /** Bytes that the client sent in clear before its ClientHello: a STARTTLS, a CONNECT, a SOCKS greeting. */
  readonly preambleBytes: number;
  /** undefined: it is not QUIC. */
  readonly quic: Omit<QuicHandshake, 'client' | 'server' | 'chlo'> | undefined;
}

const NO_HANDSHAKE: Handshake = {
  kind: undefined,
  state: 'none',
  hellos: [],
  preambleBytes: 0,
  quic: undefined,
};
/** RFC 8446 2.1: at most two hellos of a side, the second after a HelloRetryRequest or a cookie. */
const HELLOS_PER_SIDE = 2;

/** Reads the handshake of a flow. Never throws, whatever the bytes; views point into the flow's record. */
export function handshakeOf(flow: FlowRecord): Handshake {
  return handshakeOfSegments(flow, [...flow.segments()]);
}

/** The handshake as far as some of the flow's segments show it, in their order. */
export function handshakeOfSegments(
  flow: FlowRecord,
  segments: readonly Segment[],
): Handshake {
  if (segments.length === 0) return NO_HANDSHAKE;
  if (flow.transport === 'tcp') return tlsHandshake(flow, segments);
  return dtlsHandshake(segments) ?? quicHandshake(segments) ?? NO_HANDSHAKE;
}

function tlsHandshake(flow: FlowRecord, segments: readonly Segment[]): Handshake {
  const stream = (direction: Direction): Uint8Array =>
    streamStart(
      flow,
      direction,
      segments.filter((segment) => segment.direction === direction),
    );
  const sides = { up: stream('up'), down: stream('down') };
  const start = startOf(sides.up, sides.down) ?? startOf(sides.down, sides.up);
  if (start === undefined) return NO_HANDSHAKE;
  const client = hellosOf(start.client, CLIENT_HELLO);
  const server = hellosOf(start.server, SERVER_HELLO);
  return {
    ...NO_HANDSHAKE,
    kind: 'tls',
    ...inOrder(client, server),
    preambleBytes: client.length === 0 ? 0 : start.preambleBytes,
  };
}

/** What either side says from its hello on; undefined when neither says hello in this role. */
function startOf(
  client: Uint8Array,
  server: Uint8Array,
): { client: Uint8Array; server: Uint8Array; preambleBytes: number } | undefined {
  const clientAt = tlsStart(client, CLIENT_HELLO);
  const serverAt = tlsStart(server, SERVER_HELLO);
  if (clientAt === undefined && serverAt === undefined) return undefined;
  return {
    client: client.subarray(clientAt ?? client.byteLength),
    server: server.subarray(serverAt ?? server.byteLength),
    preambleBytes: clientAt ?? 0,
  };
}

function hellosOf(stream: Uint8Array, type: number): Hello[] {
  return parsed(recordHellos(stream, HELLOS_PER_SIDE), type);
}

function parsed(messages: readonly HandshakeMessage[], type: number): Hello[] {
  return messages
    .filter((message) => message.type === type)
    .map(parseHello)
    .filter((hello) => hello !== undefined);
}

function inOrder(
  client: readonly Hello[],
  server: readonly Hello[],
): Pick<Handshake, 'state' | 'hellos'> {
  const hellos = [client[0], server[0], client[1], server[1]].filter(
    (hello) => hello !== undefined,
  );
  const whole = client[0]?.whole === true && server[0]?.whole === true;
  return { state: whole ? 'full' : hellos.length > 0 ? 'partial' : 'none', hellos };
}

/** Either side may be the client: WebRTC agrees on it elsewhere (RFC 5763 section 5). */
function dtlsHandshake(segments: readonly Segment[]): Handshake | undefined {
  if (!segments.some(({ bytes }) => isDtlsHandshake(bytes))) return undefined;
  const messages = (direction: Direction): HandshakeMessage[] =>
    dtlsHellos(
      segments.filter((segment) => segment.direction === direction),
      HELLOS_PER_SIDE,
    );
  const sides = [...messages('up'), ...messages('down')];
  const { state, hellos } = inOrder(
    parsed(sides, CLIENT_HELLO),
    parsed(sides, SERVER_HELLO),
  );
  return state === 'none' ? undefined : { ...NO_HANDSHAKE, kind: 'dtls', state, hellos };
}

function quicHandshake(segments: readonly Segment[]): Handshake | undefined {
  const quic = readQuic(segments, HELLOS_PER_SIDE);
  if (quic === undefined) return undefined;
  const found = inOrder(
    parsed(quic.client, CLIENT_HELLO),
    parsed(quic.server, SERVER_HELLO),
  );
  const { chlo } = quic;
  const hellos = chlo === undefined ? found.hellos : [chlo, ...found.hellos];
  const state = chlo === undefined ? found.state : 'partial';
  return { ...NO_HANDSHAKE, kind: 'quic', state, hellos, quic };
}
