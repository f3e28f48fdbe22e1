// The body of a ClientHello or ServerHello -> its fields. RFC 8446 4.1.2 and 4.1.3; the same layout since SSL 3.0.

import { Cursor, uint16s } from './cursor.ts';
import { CLIENT_HELLO, type HandshakeMessage, SERVER_HELLO } from './tls-records.ts';

/** Extension types, IANA "TLS ExtensionType Values". Plain numbers: an unknown one is kept. */
export const EXTENSION = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  signedCertificateTimestamp: 18,
  padding: 21,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  compressCertificate: 27,
  recordSizeLimit: 28,
  delegatedCredential: 34,
  sessionTicket: 35,
  preSharedKey: 41,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  nextProtocolNegotiation: 13_172,
  applicationSettings: 17_513,
  applicationSettingsNew: 17_613,
  encryptedClientHello: 0xfe0d,
  encryptedServerName: 0xffce, // draft-ietf-tls-esni-02
  renegotiationInfo: 0xff01,
} as const;

/** A ServerHello with this random is a HelloRetryRequest: SHA-256 of "HelloRetryRequest", RFC 8446 4.1.3. */
export const RETRY_RANDOM: Uint8Array = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

export interface Extension {
  readonly type: number;
  readonly body: Uint8Array;
}

/** What both hellos hold. Views into the message; a field that broke off is missing or empty. */
export interface Hello {
  readonly kind: 'client' | 'server' | 'retry';
  readonly legacyVersion: number;
  readonly sessionIdLength: number;
  /** Client: the list as on the wire. Server: the two bytes of the chosen suite. */
  readonly cipherSuites: Uint8Array;
  readonly compression: Uint8Array;
  readonly extensions: readonly Extension[];
  /** Every field up to the last extension was there. */
  readonly whole: boolean;
}

/** Parses a hello as far as it goes; undefined when not even version and random are there. */
export function parseHello(message: HandshakeMessage): Hello | undefined {
  if (message.type !== CLIENT_HELLO && message.type !== SERVER_HELLO) return undefined;
  const client = message.type === CLIENT_HELLO;
  const cursor = new Cursor(message.body);
  const legacyVersion = cursor.uint(2);
  const random = cursor.take(32);
  if (legacyVersion === undefined || random === undefined) return undefined;
  const retry = !client && Buffer.compare(random, RETRY_RANDOM) === 0;
  const sessionId = cursor.vector(1);
  const cipherSuites = client ? cursor.vector(2) : cursor.take(2);
  const compression = client ? cursor.vector(1) : cursor.take(1);
  const { extensions, whole } = parseExtensions(cursor);
  return {
    kind: client ? 'client' : retry ? 'retry' : 'server',
    legacyVersion,
    sessionIdLength: sessionId?.byteLength ?? 0,
    cipherSuites: cipherSuites ?? new Uint8Array(0),
    compression: compression ?? new Uint8Array(0),
    extensions,
    whole:
      whole && compression !== undefined && message.body.byteLength === message.length,
  };
}

function parseExtensions(cursor: Cursor): { extensions: Extension[]; whole: boolean } {
  const extensions: Extension[] = [];
  // RFC 5246 7.4.1.2: a hello without extensions simply ends here.
  if (cursor.left === 0) return { extensions, whole: true };
  const stated = cursor.uint(2);
  if (stated === undefined) return { extensions, whole: false };
  const list = new Cursor(cursor.take(stated) ?? cursor.rest());
  const complete = list.left === stated;
  while (list.left > 0) {
    const type = list.uint(2);
    const body = list.vector(2);
    if (type === undefined || body === undefined) return { extensions, whole: false };
    extensions.push({ type, body });
  }
  return { extensions, whole: complete };
}

/** RFC 8701: GREASE values are 0x?a?a with equal bytes; drawn at random by clients, they mean nothing. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

export function findExtension(hello: Hello, type: number): Uint8Array | undefined {
  return hello.extensions.find((extension) => extension.type === type)?.body;
}

/** The host name of server_name (RFC 6066 section 3), bytes outside printable ASCII escaped as \xNN. */
export function serverNameOf(hello: Hello): string | undefined {
  const body = findExtension(hello, EXTENSION.serverName);
  if (body === undefined) return undefined;
  const list = new Cursor(body);
  list.uint(2);
  if (list.uint(1) !== 0) return undefined;
  const name = list.vector(2);
  return name === undefined || name.byteLength === 0 ? undefined : printable(name);
}

/** The protocols of ALPN (RFC 7301): the client's offers, or the server's choice as the only one. */
export function alpnOf(hello: Hello): string[] {
  const body = findExtension(hello, EXTENSION.alpn);
  if (body === undefined) return [];
  const list = new Cursor(body);
  list.uint(2);
  const names: string[] = [];
  for (let name = list.vector(1); name !== undefined; name = list.vector(1)) {
    names.push(printable(name));
  }
  return names;
}

/** The version that a ServerHello settles on: supported_versions where present, RFC 8446 4.2.1. */
export function chosenVersion(hello: Hello): number {
  const body = findExtension(hello, EXTENSION.supportedVersions);
  const [version] = body === undefined ? [] : uint16s(body);
  return version ?? hello.legacyVersion;
}

/** The highest version that a ClientHello offers. */
export function offeredVersion(hello: Hello): number {
  const body = findExtension(hello, EXTENSION.supportedVersions);
  if (body === undefined || body.byteLength < 3) return hello.legacyVersion;
  const versions = uint16s(body.subarray(1)).filter((v) => !isGrease(v));
  return versions.reduce((a, b) => Math.max(a, b), 0) || hello.legacyVersion;
}

function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
    text += plain
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
