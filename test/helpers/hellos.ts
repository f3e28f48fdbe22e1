// Arbitrary hellos for property tests, and the ways that they travel.

import fc from 'fast-check';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import type { CanaryField } from '../../src/handshake/canary.ts';
import type { GquicHello } from '../../src/handshake/gquic.ts';
import { type Hello, parseHello } from '../../src/handshake/hello.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import { cryptoFrames, initialPacket, QUIC_V2, varint } from './quic.ts';
import { datagrams, makeRecord } from './records.ts';
import { clientHello, dtlsFragments, records } from './tls.ts';

const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const GREASE = fc.nat(15).map((n) => n * 0x1010 + 0x0a0a);

type Parameter = readonly [id: number, value: Uint8Array];

/** RFC 9000 18: id, length, value. */
function transportParameters(list: readonly Parameter[]): Buffer {
  return Buffer.concat(
    list.flatMap(([id, value]) => [varint(id), varint(value.byteLength), value]),
  );
}

/** What of a hello may name the server, by content or length: all of it may differ without a trace. */
export const canaries = fc.record({
  hello: fc.record({
    sni: fc.string({ minLength: 1, maxLength: 200 }),
    random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    sessionId: bytes(32),
    keyShares: fc
      .tuple(GREASE, bytes(20), bytes(1_200))
      .map(([grease, noise, key]) => [[grease, noise] as const, [29, key] as const]),
    ticket: bytes(300),
    ech: bytes(300),
    cipherSuites: fc.array(fc.nat(0xffff), { maxLength: 40 }),
  }),
  padding: fc.option(fc.nat(400)),
  cookie: bytes(40),
  psk: bytes(300),
  connectionId: bytes(20),
  userAgent: bytes(60),
  grease: GREASE,
});
type Drawn = typeof canaries extends fc.Arbitrary<infer T> ? T : never;

/** What describes the software: seen by a model. */
export const software = fc.record({
  alpn: fc.array(fc.constantFrom('h2', 'h3', 'http/1.1', 'imap'), { maxLength: 3 }),
  versions: fc.array(fc.constantFrom(0x0304, 0x0303, 0x0302), {
    minLength: 1,
    maxLength: 3,
  }),
  limit: fc.nat(0x3fff),
});
type Software = typeof software extends fc.Arbitrary<infer T> ? T : never;

/** A ClientHello of both. */
export function helloWith(
  canary: Drawn,
  { alpn, versions, limit }: Software,
  dtls: boolean,
): Buffer {
  const { hello, padding, psk, connectionId, userAgent, grease } = canary;
  const parameters = transportParameters([
    [0x01, varint(limit)],
    [0x0f, connectionId],
    [0x3129, userAgent],
  ]);
  return clientHello({
    ...hello,
    alpn,
    versions: [grease, ...versions],
    more: [
      [grease, new Uint8Array(0)],
      [57, parameters],
      [41, psk],
    ],
    ...(padding === null ? {} : { padding }),
    ...(dtls ? { legacyVersion: 0xfefd, cookie: canary.cookie } : {}),
  });
}

/** A hello in a flow, cut in two. */
export const CARRIERS: Readonly<
  Record<string, (hello: Buffer, cut: number) => FlowRecord>
> = {
  tls: (hello, cut) => {
    const stream = records(hello);
    return makeRecord({
      initialSequenceUp: 7,
      segments: [
        { direction: 'up', sequence: 7 + cut, bytes: stream.subarray(cut) },
        { direction: 'up', sequence: 7, bytes: stream.subarray(0, cut) },
      ],
    });
  },
  dtls: (hello, cut) =>
    makeRecord({
      protocol: 17,
      segments: datagrams(
        ...dtlsFragments(hello, 0, [cut]).map((bytes) => ['up', bytes] as const),
      ),
    }),
  quic: (hello, cut) =>
    makeRecord({
      protocol: 17,
      segments: datagrams(
        ...cryptoFrames(hello, [cut]).map(
          (frame, number) =>
            ['up', initialPacket({ version: QUIC_V2, number, frames: [frame] })] as const,
        ),
      ),
    }),
};

export function helloOf(message: Uint8Array): Hello | undefined {
  if (message.byteLength < 4) return undefined;
  const length = Buffer.from(message).readUIntBE(1, 3);
  return parseHello({ type: message[0] ?? 0, length, bytes: message });
}

/** All that a model could see of a hello, however long. */
export function seen(
  hello: Hello | GquicHello,
  shown: readonly CanaryField[] = [],
): Uint8Array {
  const into = new Uint8Array(hello.message.byteLength + 64);
  return into.subarray(0, occlude(hello, { shown }, into));
}
