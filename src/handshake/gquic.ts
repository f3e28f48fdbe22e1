// Google's QUIC before it spoke TLS (versions Q...): its ClientHello, CHLO, a list of tags and values that stands in clear.
// Google's document "QUIC Crypto"; public headers as in "QUIC Wire Layout Specification" of 2016.

import { isGquic } from './quic-versions.ts';

/** The first bits of a public header: a version follows the connection id of 8 bytes. */
const FLAG_VERSION = 0x01;
const FLAG_CONNECTION_ID = 0x08;
const LONG_HEADER = 0x80;
const CHLO = Buffer.from('CHLO', 'latin1');
/** The message begins behind header, hash and frame header: no further in. */
const CHLO_WITHIN_BYTES = 128;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
/** A CHLO has some 25. */
const TAGS_MAX = 128;

/** One value of a CHLO; views into the message. */
interface GquicTag {
  /** Four characters, an absent fourth is \0. */
  readonly tag: Uint8Array;
  readonly value: Uint8Array;
}

export interface GquicHello {
  readonly kind: 'chlo';
  /** From "CHLO" on, as far as it goes. */
  readonly message: Uint8Array;
  readonly tags: readonly GquicTag[];
  readonly whole: boolean;
}

/** The version of a datagram with gQUIC's own header, Q046's long one included. Q050 and later are like IETF QUIC. */
export function gquicVersion(datagram: Uint8Array): number | undefined {
  const first = datagram[0] ?? 0;
  const long = (first & LONG_HEADER) !== 0;
  if (!long && (first & FLAG_VERSION) === 0) return undefined;
  const at = long ? 1 : (first & FLAG_CONNECTION_ID) !== 0 ? 9 : 1;
  if (datagram.byteLength < at + 4) return undefined;
  const version = Buffer.from(
    datagram.buffer,
    datagram.byteOffset,
    datagram.byteLength,
  ).readUInt32BE(at);
  return isGquic(version) && version < 0x5130_3530 ? version : undefined;
}

/** The CHLO that begins in `bytes`, a datagram of gQUIC or the plain payload of an Initial of Q050. */
export function parseChlo(bytes: Uint8Array): GquicHello | undefined {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = whole.subarray(0, CHLO_WITHIN_BYTES).indexOf(CHLO);
  if (from < 0 || whole.byteLength < from + HEADER_BYTES) return undefined;
  const count = whole.readUInt16LE(from + CHLO.byteLength);
  const valuesAt = from + HEADER_BYTES + count * ENTRY_BYTES;
  if (count > TAGS_MAX || valuesAt > whole.byteLength) return undefined;
  const tags: GquicTag[] = [];
  let start = valuesAt;
  for (let i = 0; i < count; i++) {
    const at = from + HEADER_BYTES + i * ENTRY_BYTES;
    const end = valuesAt + whole.readUInt32LE(at + 4);
    // Ends are ever greater; the message may break off.
    if (end < start || end > whole.byteLength) break;
    tags.push({ tag: whole.subarray(at, at + 4), value: whole.subarray(start, end) });
    start = end;
  }
  return {
    kind: 'chlo',
    message: whole.subarray(from, start),
    tags,
    whole: tags.length === count,
  };
}

/** A value by its tag's characters, such as "SNI". */
export function gquicValue(hello: GquicHello, name: string): Uint8Array | undefined {
  const wanted = Buffer.from(name.padEnd(4, '\0'), 'latin1');
  return hello.tags.find(({ tag }) => Buffer.compare(tag, wanted) === 0)?.value;
}
