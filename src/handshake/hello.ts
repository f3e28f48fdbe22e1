// A ClientHello or ServerHello -> its fields. RFC 8446 4.1.2 and 4.1.3, the same layout since SSL 3.0; RFC 9147 5.3 (DTLS)
// puts a cookie in between.

import { Cursor, uint16s } from './cursor.ts';

/** HandshakeType, RFC 8446 section 4. */
export const CLIENT_HELLO = 1;
export const SERVER_HELLO = 2;
/** Type and length go before a handshake message's body. */
export const MESSAGE_HEADER_BYTES = 4;

/** A handshake message; it may break off where the stream does. */
export interface HandshakeMessage {
  readonly type: number;
  /** The body's length as the message states it. */
  readonly length: number;
  /** Header and body. */
  readonly bytes: Uint8Array;
}

/** Extension types, IANA "TLS ExtensionType Values". Plain numbers: an unknown one is kept. */
export const EXTENSION = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
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
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  quicTransportParameters: 57,
  nextProtocolNegotiation: 13_172,
  applicationSettings: 17_513,
  applicationSettingsNew: 17_613,
  encryptedClientHello: 0xfe0d,
  encryptedServerName: 0xffce, // draft-ietf-tls-esni-02
  renegotiationInfo: 0xff01,
  quicTransportParametersDraft: 0xffa5, // up to draft-ietf-quic-tls-32
} as const;

/** A ServerHello with this random is a HelloRetryRequest: SHA-256 of "HelloRetryRequest", RFC 8446 4.1.3. */
export const RETRY_RANDOM: Uint8Array = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

/** DTLS counts its versions down from 0xfeff (1.0); 0x0100 is what OpenSSL once took for it. */
const DTLS_VERSION_LEAST = 0xfe00;
const DTLS_VERSION_OPENSSL = 0x0100;

export interface Extension {
  readonly type: number;
  readonly body: Uint8Array;
}

/** What both hellos hold. Views into the message; a field that broke off is empty, and its bytes are in `rest`. */
export interface Hello {
  readonly kind: 'client' | 'server' | 'retry';
  /** The message as it was, header included. */
  readonly message: Uint8Array;
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  /** Only a ClientHello of DTLS has it; undefined: no such field. */
  readonly cookie: Uint8Array | undefined;
  /** Client: the list as on the wire. Server: the two bytes of the chosen suite. */
  readonly cipherSuites: Uint8Array;
  readonly compression: Uint8Array;
  /** undefined: it ends without any, as hellos before TLS 1.2 may (RFC 5246 7.4.1.2). */
  readonly extensions: readonly Extension[] | undefined;
  /** What no field could be made of. */
  readonly rest: Uint8Array;
  /** Every field up to the last extension was there. */
  readonly whole: boolean;
}

const NOTHING = new Uint8Array(0);

/** Parses a hello as far as it goes; undefined when not even version and random are there. */
export function parseHello(message: HandshakeMessage): Hello | undefined {
  const { type, length, bytes } = message;
  if (type !== CLIENT_HELLO && type !== SERVER_HELLO) return undefined;
  const client = type === CLIENT_HELLO;
  const cursor = new Cursor(bytes, MESSAGE_HEADER_BYTES);
  const legacyVersion = cursor.uint(2);
  const random = cursor.take(32);
  if (legacyVersion === undefined || random === undefined) return undefined;
  const retry = !client && Buffer.compare(random, RETRY_RANDOM) === 0;
  // A field that breaks off takes all behind it along: nothing may be read in its place.
  const broken = new Cursor(NOTHING);
  const step = <T>(value: T | undefined): T | undefined => {
    if (value === undefined) at = broken;
    return value;
  };
  let at = cursor;
  const sessionId = step(at.vector(1)) ?? NOTHING;
  const cookie =
    client && isDtls(legacyVersion) ? (step(at.vector(1)) ?? NOTHING) : undefined;
  const cipherSuites = step(client ? at.vector(2) : at.take(2)) ?? NOTHING;
  const compression = step(client ? at.vector(1) : at.take(1));
  const { extensions, complete } = parseExtensions(at);
  return {
    kind: client ? 'client' : retry ? 'retry' : 'server',
    message: bytes,
    legacyVersion,
    random,
    sessionId,
    cookie,
    cipherSuites,
    compression: compression ?? NOTHING,
    extensions,
    whole:
      complete &&
      compression !== undefined &&
      bytes.byteLength === MESSAGE_HEADER_BYTES + length,
    rest: cursor.rest(),
  };
}

/** Whether a hello is of DTLS, and so has a cookie. */
export function isDtls(version: number): boolean {
  return version >= DTLS_VERSION_LEAST || version === DTLS_VERSION_OPENSSL;
}

function parseExtensions(cursor: Cursor): {
  extensions: Extension[] | undefined;
  complete: boolean;
} {
  if (cursor.left === 0) return { extensions: undefined, complete: true };
  const stated = cursor.uint(2);
  if (stated === undefined) return { extensions: undefined, complete: false };
  const extensions: Extension[] = [];
  const end = cursor.at + stated;
  while (cursor.left > 0 && cursor.at < end) {
    const extension = cursor.extension(end);
    if (extension === undefined) return { extensions, complete: false };
    extensions.push(extension);
  }
  return { extensions, complete: cursor.at === end };
}

/** RFC 8701: GREASE values are 0x?a?a with equal bytes; drawn at random by clients, they mean nothing. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** Whether a ClientHello holds GREASE among its suites or extensions. */
export function hasGrease(hello: Hello): boolean {
  return (
    uint16s(hello.cipherSuites).some(isGrease) ||
    hello.extensions?.some(({ type }) => isGrease(type)) === true
  );
}

export function findExtension(hello: Hello, type: number): Uint8Array | undefined {
  return hello.extensions?.find((extension) => extension.type === type)?.body;
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

/** The latest version that a ClientHello offers. */
export function offeredVersion(hello: Hello): number {
  const body = findExtension(hello, EXTENSION.supportedVersions);
  if (body === undefined || body.byteLength < 3) return hello.legacyVersion;
  const versions = uint16s(body.subarray(1)).filter((v) => !isGrease(v));
  if (versions.length === 0) return hello.legacyVersion;
  const latest = isDtls(hello.legacyVersion) ? Math.min : Math.max;
  return versions.reduce((a, b) => latest(a, b));
}

/** Bytes outside printable ASCII, and the backslash, as \\xNN. */
export function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
    text += plain
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}
