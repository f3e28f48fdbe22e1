// The hellos of a flow -> what a person may want to know of them; never an input of a model.

import { type GquicHello, gquicValue } from './gquic.ts';
import type { Handshake, HandshakeKind, HandshakeState } from './handshake.ts';
import {
  alpnOf,
  chosenVersion,
  EXTENSION,
  findExtension,
  type Hello,
  hasGrease,
  offeredVersion,
  printable,
  serverNameOf,
} from './hello.ts';
import { quicVersionName } from './quic-versions.ts';

export interface HandshakeFacts {
  readonly kind: HandshakeKind | null;
  readonly state: HandshakeState;
  readonly clientHello: boolean;
  readonly serverHello: boolean;
  /** With ECH that of the outer ClientHello, the provider's public name. */
  readonly sni: string | null;
  /** The client's offers, joined by commas. */
  readonly alpn: string | null;
  /** The server's choice, where it is in clear (TLS 1.2 and before). */
  readonly alpnChosen: string | null;
  /** Of TLS or DTLS. Chosen by the server, else the latest that the client offers. */
  readonly version: string | null;
  /**
   * An encrypted ClientHello is offered. Clients without a key for it send noise in its place (GREASE), made so that
   * nobody can tell from outside (draft-ietf-tls-esni section 6.2).
   */
  readonly ech: boolean;
  /** The server took an ECH extension up in a HelloRetryRequest: it was a real one, or the server knows of it at least. */
  readonly echAnswered: boolean;
  /** Of the ClientHello; 0: none. */
  readonly sessionIdBytes: number;
  /** A session ticket of TLS 1.2 or a pre-shared key of TLS 1.3 is offered: the client has been here before. */
  readonly resumption: boolean;
  /** The server asked for another ClientHello. */
  readonly retry: boolean;
  /** The client sprinkles reserved values (RFC 8701). */
  readonly grease: boolean;
  /** Bytes that the client sent in clear before its ClientHello. */
  readonly preambleBytes: number;
  /** "v1", "draft-29", "Q046"; an unknown one as its number. null: it is not QUIC. */
  readonly quicVersion: string | null;
}

export function factsOf(handshake: Handshake): HandshakeFacts {
  const { kind, state, hellos, preambleBytes, quic } = handshake;
  const chlo = hellos.find((hello) => hello.kind === 'chlo');
  const first = (wanted: Hello['kind']): Hello | undefined =>
    hellos.find((hello): hello is Hello => hello.kind === wanted);
  const client = first('client');
  const retry = first('retry');
  const server = first('server') ?? retry;
  return {
    kind: kind ?? null,
    state,
    clientHello: client !== undefined || chlo !== undefined,
    serverHello: server !== undefined,
    sni: (client && serverNameOf(client)) ?? (chlo && chloName(chlo)) ?? null,
    alpn: client === undefined ? null : alpnOf(client).join(',') || null,
    alpnChosen: server === undefined ? null : (alpnOf(server)[0] ?? null),
    version: versionOf(client, server),
    ech: client !== undefined && offersEch(client),
    echAnswered: retry !== undefined && offersEch(retry),
    sessionIdBytes: client?.sessionId.byteLength ?? 0,
    resumption: client !== undefined && resumes(client),
    retry: retry !== undefined || quic?.retry === true,
    grease: client !== undefined && hasGrease(client),
    preambleBytes,
    quicVersion: quic === undefined ? null : quicVersionName(quic.version),
  };
}

function chloName(chlo: GquicHello): string | undefined {
  const name = gquicValue(chlo, 'SNI');
  return name === undefined || name.byteLength === 0 ? undefined : printable(name);
}

function versionOf(client: Hello | undefined, server: Hello | undefined): string | null {
  if (server !== undefined) return versionName(chosenVersion(server));
  return client === undefined ? null : versionName(offeredVersion(client));
}

const offersEch = (hello: Hello): boolean =>
  findExtension(hello, EXTENSION.encryptedClientHello) !== undefined ||
  findExtension(hello, EXTENSION.encryptedServerName) !== undefined;

const resumes = (client: Hello): boolean =>
  findExtension(client, EXTENSION.preSharedKey) !== undefined ||
  (findExtension(client, EXTENSION.sessionTicket)?.byteLength ?? 0) > 0;

const VERSION_NAMES: Readonly<Record<number, string>> = {
  768: 'SSL 3.0',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
  65279: 'DTLS 1.0',
  65277: 'DTLS 1.2',
  65276: 'DTLS 1.3',
};

/** The version's name; a draft or unknown one as its number. */
function versionName(version: number): string {
  return VERSION_NAMES[version] ?? `0x${version.toString(16).padStart(4, '0')}`;
}
