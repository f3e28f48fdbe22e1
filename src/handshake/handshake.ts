// A flow -> what its handshake says in clear: for people (SNI, ALPN, versions) and for models (occluded messages).

import type { FlowRecord } from '../flow/flow-record.ts';
import {
  alpnOf,
  chosenVersion,
  EXTENSION,
  findExtension,
  type Hello,
  offeredVersion,
  parseHello,
  serverNameOf,
} from './hello.ts';
import { streamStart } from './reassembly.ts';
import {
  CLIENT_HELLO,
  helloMessages,
  SERVER_HELLO,
  startsWithHandshake,
} from './tls-records.ts';

/** Full: both hellos whole. Partial: one of them, or one that breaks off. None: no hello found. */
const HANDSHAKE_STATES = ['full', 'partial', 'none'] as const;
type HandshakeState = (typeof HANDSHAKE_STATES)[number];

/** What was found of a handshake. `kind` undefined: the flow shows none. */
export interface Handshake {
  readonly kind: 'tls' | undefined;
  readonly state: HandshakeState;
  /** In the order of the handshake: ClientHello, ServerHello or HelloRetryRequest, second ClientHello, ... */
  readonly hellos: readonly Hello[];
}

const NO_HANDSHAKE: Handshake = { kind: undefined, state: 'none', hellos: [] };
/** RFC 8446 2.1: at most two hellos of a side, the second after a HelloRetryRequest. */
const HELLOS_PER_SIDE = 2;

/** Reads the handshake of a flow. Never throws, whatever the bytes; views point into the flow's record. */
export function handshakeOf(flow: FlowRecord): Handshake {
  // QUIC and DTLS Initials are not read yet: a UDP flow has series and statistics only.
  if (flow.transport !== 'tcp') return NO_HANDSHAKE;
  const client = hellosOf(streamStart(flow, 'up'), CLIENT_HELLO);
  const server = hellosOf(streamStart(flow, 'down'), SERVER_HELLO);
  if (client.length === 0 && server.length === 0) return NO_HANDSHAKE;
  const whole = client[0]?.whole === true && server[0]?.whole === true;
  return {
    kind: 'tls',
    state: whole ? 'full' : 'partial',
    hellos: [client[0], server[0], client[1], server[1]].filter((h) => h !== undefined),
  };
}

function hellosOf(stream: Uint8Array, type: number): Hello[] {
  if (!startsWithHandshake(stream, type)) return [];
  return helloMessages(stream, HELLOS_PER_SIDE)
    .filter((message) => message.type === type)
    .map(parseHello)
    .filter((hello) => hello !== undefined);
}

/** What a person may want to know of a handshake; never an input of a model. */
export interface HandshakeFacts {
  readonly kind: 'tls' | null;
  readonly state: HandshakeState;
  readonly clientHello: boolean;
  readonly serverHello: boolean;
  readonly sni: string | null;
  /** The client's offers, joined by commas. */
  readonly alpn: string | null;
  /** The server's choice, where it is in clear (TLS 1.2 and before). */
  readonly alpnChosen: string | null;
  /** Chosen by the server, else the highest that the client offers. */
  readonly version: string | null;
  /** An encrypted ClientHello is offered; real or GREASE cannot be told from outside. */
  readonly ech: boolean;
}

export function factsOf(handshake: Handshake): HandshakeFacts {
  const client = handshake.hellos.find((h) => h.kind === 'client');
  const server =
    handshake.hellos.find((h) => h.kind === 'server') ??
    handshake.hellos.find((h) => h.kind === 'retry');
  const version =
    server !== undefined
      ? chosenVersion(server)
      : client !== undefined
        ? offeredVersion(client)
        : undefined;
  return {
    kind: handshake.kind ?? null,
    state: handshake.state,
    clientHello: client !== undefined,
    serverHello: server !== undefined,
    sni: (client && serverNameOf(client)) ?? null,
    alpn: client === undefined ? null : alpnOf(client).join(',') || null,
    alpnChosen: server === undefined ? null : (alpnOf(server)[0] ?? null),
    version: version === undefined ? null : versionName(version),
    ech:
      client !== undefined &&
      (findExtension(client, EXTENSION.encryptedClientHello) !== undefined ||
        findExtension(client, EXTENSION.encryptedServerName) !== undefined),
  };
}

const VERSION_NAMES: Readonly<Record<number, string>> = {
  768: 'SSL 3.0',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
};

/** The version's name; a draft or unknown one as its number. */
function versionName(version: number): string {
  return VERSION_NAMES[version] ?? `0x${version.toString(16).padStart(4, '0')}`;
}
