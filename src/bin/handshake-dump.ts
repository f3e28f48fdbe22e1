// A hello for people and scripts: what was on the wire, what of it is occluded, what a model sees instead.

import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES } from '../features/shapes.ts';
import { uint16s } from '../handshake/cursor.ts';
import type { GquicHello } from '../handshake/gquic.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { alpnOf, EXTENSION, findExtension, type Hello } from '../handshake/hello.ts';
import { occlude } from '../handshake/occlusion.ts';
import type { Stretch } from '../handshake/occlusion-walk.ts';

/** The line of `sluice flows --handshake --json` has one of these a hello. Numbers as on the wire, in hex. */
interface HelloLine {
  readonly kind: 'client' | 'server' | 'retry' | 'chlo';
  readonly whole: boolean;
  /** A model reads the first three of a flow's hellos. */
  readonly read: boolean;
  /** With its header of four bytes; put together from segments, records and frames. */
  readonly bytes: number;
  readonly version: string | null;
  readonly cipherSuites: readonly string[];
  readonly extensions: readonly string[];
  readonly alpn: readonly string[];
  /** Of supported_versions. */
  readonly versions: readonly string[];
  /** Byte ranges of the message, `to` excluded, and why a model does not see them. */
  readonly occluded: readonly { from: number; to: number; field: string }[];
  /** Bytes that the occluded message has; a model sees at most 600 of them. */
  readonly seenBytes: number;
  readonly seen: string;
}

interface Seen {
  readonly bytes: Uint8Array;
  readonly total: number;
  readonly stretches: readonly Stretch[];
}

/** What a model sees with nothing let through, and what became of the rest. */
function seenOf(hello: Hello | GquicHello): Seen {
  const row = new Uint8Array(HANDSHAKE_BYTES);
  const stretches: Stretch[] = [];
  const total = occlude(hello, { shown: [] }, row, stretches);
  return { bytes: row.subarray(0, Math.min(total, HANDSHAKE_BYTES)), total, stretches };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const hex16 = (value: number): string => value.toString(16).padStart(4, '0');

/** One object a hello. */
export function helloLines(handshake: Handshake): HelloLine[] {
  return handshake.hellos.map((hello, m) => {
    const { bytes, total, stretches } = seenOf(hello);
    const tls = hello.kind === 'chlo' ? undefined : hello;
    return {
      kind: hello.kind,
      whole: hello.whole,
      read: m < HANDSHAKE_MESSAGES,
      bytes: hello.message.byteLength,
      version: tls === undefined ? null : hex16(tls.legacyVersion),
      cipherSuites: uint16s(tls?.cipherSuites ?? new Uint8Array(0)).map(hex16),
      extensions: (tls?.extensions ?? []).map(({ type }) => hex16(type)),
      alpn: tls === undefined ? [] : alpnOf(tls),
      versions: tls === undefined ? [] : versionsOf(tls),
      occluded: stretches.flatMap(({ from, to, occluded }) =>
        occluded === undefined || from === to ? [] : [{ from, to, field: occluded }],
      ),
      seenBytes: total,
      seen: hex(bytes),
    };
  });
}

/** The client's offers stand behind their length, the server's choice stands alone. */
function versionsOf(hello: Hello): string[] {
  const body = findExtension(hello, EXTENSION.supportedVersions) ?? new Uint8Array(0);
  return uint16s(hello.kind === 'client' ? body.subarray(1) : body).map(hex16);
}

const ROW_BYTES = 16;
const DIM_RED = '\x1b[2;31m';
const PLAIN = '\x1b[0m';

const NAMES = {
  client: 'ClientHello',
  server: 'ServerHello',
  retry: 'HelloRetryRequest',
  chlo: 'CHLO of gQUIC',
} as const;

/** Two dumps a hello: the message with its occluded bytes [in brackets], and what a model sees. */
export function dumpHandshake(handshake: Handshake, colour: boolean): string {
  return handshake.hellos
    .map((hello, m) => {
      const { bytes, total, stretches } = seenOf(hello);
      const { message, whole } = hello;
      const cut = whole ? '' : ', breaks off';
      const lines = [`  ${NAMES[hello.kind]}, ${message.byteLength} bytes${cut}`];
      lines.push(...dumpMessage(message, stretches, colour));
      if (m >= HANDSHAKE_MESSAGES) {
        lines.push(
          `  a model reads the first ${HANDSHAKE_MESSAGES} hellos: not this one`,
        );
      } else {
        const more = total > bytes.byteLength ? `, the first ${bytes.byteLength} of` : '';
        lines.push(`  a model sees${more} ${total} bytes`);
        lines.push(...dumpBytes(bytes));
      }
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

function dumpMessage(
  message: Uint8Array,
  stretches: readonly Stretch[],
  colour: boolean,
): string[] {
  const fields = occludedFields(message.byteLength, stretches);
  return rowsOf(message).map(([at, row]) => {
    const inside = (i: number): boolean => fields[at + i] !== undefined;
    const [on, off] = colour ? [DIM_RED, PLAIN] : ['', ''];
    let text = '';
    row.forEach((byte, i) => {
      const before = i > 0 && inside(i - 1);
      const mark = inside(i) === before ? ' ' : before ? `${off}]` : `[${on}`;
      text += mark + byte.toString(16).padStart(2, '0');
    });
    const end = inside(row.byteLength - 1) ? `${off}]` : ' ';
    const padding = '   '.repeat(ROW_BYTES - row.byteLength);
    const names = new Set(fields.slice(at, at + row.byteLength).filter((f) => f));
    return `    ${hex16(at)} ${text}${end}${padding} ${[...names].join(', ')}`.trimEnd();
  });
}

/** For each byte of the message why it is occluded, if it is. */
function occludedFields(
  length: number,
  stretches: readonly Stretch[],
): (Stretch['occluded'] | undefined)[] {
  const fields = new Array<Stretch['occluded'] | undefined>(length).fill(undefined);
  for (const { from, to, occluded } of stretches) fields.fill(occluded, from, to);
  return fields;
}

function dumpBytes(bytes: Uint8Array): string[] {
  return rowsOf(bytes).map(
    ([at, row]) => `    ${hex16(at)}  ${hex(row).replace(/(..)(?=.)/g, '$1 ')}`,
  );
}

function rowsOf(bytes: Uint8Array): [at: number, row: Uint8Array][] {
  return Array.from({ length: Math.ceil(bytes.byteLength / ROW_BYTES) }, (_, i) => [
    i * ROW_BYTES,
    bytes.subarray(i * ROW_BYTES, (i + 1) * ROW_BYTES),
  ]);
}
