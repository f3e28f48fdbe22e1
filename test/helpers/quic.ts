// QUIC packets made in memory, protected as a real endpoint would (RFC 9001 section 5): what a test varies is an option.

import { createCipheriv } from 'node:crypto';
import { type InitialKeys, initialKeys } from '../../src/handshake/quic-keys.ts';
import {
  candidateVersions,
  type QuicVersion,
} from '../../src/handshake/quic-versions.ts';

export const QUIC_V1 = 1;
export const QUIC_V2 = 0x6b33_43cf;
export const DRAFT_29 = 0xff00_001d;
export const RESERVED = 0x1a2a_3a4a;

/** A variable-length integer in the fewest bytes, RFC 9000 16. */
export function varint(value: number): Buffer {
  if (value < 0x40) return Buffer.from([value]);
  if (value < 0x4000) return Buffer.from([0x40 | (value >> 8), value & 0xff]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(0x8000_0000 + value);
  return bytes;
}

/** RFC 9000 19.6. */
export function cryptoFrame(start: number, bytes: Uint8Array, type = 6): Buffer {
  return Buffer.concat([
    Buffer.from([type]),
    varint(start),
    varint(bytes.byteLength),
    bytes,
  ]);
}

/** `stream` as CRYPTO frames that begin at `cuts`, in order. */
export function cryptoFrames(stream: Uint8Array, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts, stream.byteLength];
  return edges
    .slice(0, -1)
    .map((from, i) => cryptoFrame(from, stream.subarray(from, edges[i + 1])));
}

export const PING: Buffer = Buffer.from([1]);
/** Largest 2, delay 0, one further range. */
export const ACK: Buffer = Buffer.from([2, 2, 0, 1, 0, 0, 0]);

export interface TestInitial {
  readonly version?: number;
  /** The version that the packet is made like, where `version` is a reserved one. */
  readonly like?: number;
  readonly destination?: Uint8Array;
  readonly source?: Uint8Array;
  readonly token?: Uint8Array;
  readonly number?: number;
  readonly from?: 'client' | 'server';
  /** What the keys are derived of; `destination` unless given. */
  readonly keyId?: Uint8Array;
  readonly frames: readonly Uint8Array[];
  /** Fills the plain payload up with PADDING. */
  readonly paddedTo?: number;
}

export const CLIENT_ID: Buffer = Buffer.from('8394c8f03e515708', 'hex');
export const SERVER_ID: Buffer = Buffer.from('f067a5502a4262b5', 'hex');

const derived = new Map<string, InitialKeys>();

/** Remembered: fuzzing makes millions of packets with a few keys. */
function keysOf(
  version: QuicVersion,
  id: Uint8Array,
  side: 'client' | 'server',
): InitialKeys {
  const name = `${version.name} ${side} ${Buffer.from(id).toString('hex')}`;
  const known = derived.get(name) ?? initialKeys(version, id, side);
  derived.set(name, known);
  return known;
}

function versionOf(number: number): QuicVersion {
  const [version] = candidateVersions(number);
  if (version === undefined) throw new Error(`no keys for version ${number}`);
  return version;
}

export function initialPacket(options: TestInitial): Buffer {
  const number = options.version ?? QUIC_V1;
  const version = versionOf(options.like ?? number);
  const destination = options.destination ?? CLIENT_ID;
  const keys = keysOf(version, options.keyId ?? destination, options.from ?? 'client');
  const padding = Math.max(
    0,
    (options.paddedTo ?? 0) - options.frames.reduce((sum, f) => sum + f.byteLength, 0),
  );
  const payload = Buffer.concat([...options.frames, Buffer.alloc(padding)]);
  const numberBytes = Buffer.from([0, options.number ?? 0]);
  const header = Buffer.concat([
    longHeader(
      number,
      version.initialType,
      destination,
      options.source ?? Buffer.alloc(0),
    ),
    varint(options.token?.byteLength ?? 0),
    options.token ?? Buffer.alloc(0),
    // Two bytes, so that it has them whatever the length.
    Buffer.from([
      0x40 | ((payload.byteLength + 18) >> 8),
      (payload.byteLength + 18) & 0xff,
    ]),
    numberBytes,
  ]);
  return protect(header, payload, keys);
}

/** First byte with a packet number of two bytes, version and both connection ids. */
export function longHeader(
  version: number,
  type: number,
  destination: Uint8Array,
  source: Uint8Array,
): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(0xc1 | (type << 4), 0);
  head.writeUInt32BE(version, 1);
  return Buffer.concat([
    head,
    Buffer.from([destination.byteLength]),
    destination,
    Buffer.from([source.byteLength]),
    source,
  ]);
}

function protect(header: Buffer, payload: Uint8Array, keys: InitialKeys): Buffer {
  const nonce = Buffer.from(keys.iv);
  const numberAt = header.byteLength - 2;
  for (const i of [0, 1]) {
    const at = nonce.byteLength - 2 + i;
    nonce[at] = (nonce[at] ?? 0) ^ (header[numberAt + i] ?? 0);
  }
  const cipher = createCipheriv('aes-128-gcm', keys.key, nonce);
  cipher.setAAD(header);
  const sealed = Buffer.concat([
    cipher.update(payload),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  // The sample begins 4 bytes behind the number's start, and the number has 2.
  const mask = createCipheriv('aes-128-ecb', keys.hp, null).update(
    sealed.subarray(2, 18),
  );
  header[0] = (header[0] ?? 0) ^ ((mask[0] ?? 0) & 0x0f);
  for (const i of [0, 1]) {
    header[numberAt + i] = (header[numberAt + i] ?? 0) ^ (mask[1 + i] ?? 0);
  }
  return Buffer.concat([header, sealed]);
}

/** RFC 9000 17.2.5: token and integrity tag are not looked at. */
export function retryPacket(destination: Uint8Array, source: Uint8Array): Buffer {
  return Buffer.concat([
    longHeader(QUIC_V1, 3, destination, source),
    Buffer.from('a token of the server', 'latin1'),
    Buffer.alloc(16, 3),
  ]);
}

/** RFC 9000 17.2.1. */
export function versionNegotiation(versions: readonly number[]): Buffer {
  const list = Buffer.alloc(4 * versions.length);
  versions.forEach((version, i) => {
    list.writeUInt32BE(version, 4 * i);
  });
  return Buffer.concat([longHeader(0, 0, Buffer.alloc(0), CLIENT_ID), list]);
}

/** A CHLO: tags with the ends of their values, then the values. */
export function gquicHello(options: {
  readonly sni: string;
  readonly padding?: number;
  readonly nonce?: Uint8Array;
  readonly userAgent?: string;
}): Buffer {
  const values = [
    ['PAD\0', Buffer.alloc(options.padding ?? 300, 0x2d)],
    ['SNI\0', Buffer.from(options.sni, 'latin1')],
    ['VER\0', Buffer.from('Q043', 'latin1')],
    ['NONC', options.nonce ?? Buffer.alloc(32, 6)],
    ['UAID', Buffer.from(options.userAgent ?? 'a browser', 'latin1')],
    ['ICSL', Buffer.from([30, 0, 0, 0])],
  ] as const;
  const head = Buffer.alloc(8);
  head.write('CHLO', 'latin1');
  head.writeUInt16LE(values.length, 4);
  let end = 0;
  const entries = values.map(([tag, value]) => {
    const entry = Buffer.alloc(8);
    entry.write(tag, 'latin1');
    end += value.byteLength;
    entry.writeUInt32LE(end, 4);
    return entry;
  });
  return Buffer.concat([head, ...entries, ...values.map(([, value]) => value)]);
}
