// Hostile flows for the handshake parsers: real ones of every kind, then broken on purpose. Mutations know the structure
// only in that QUIC is broken before it is encrypted; else every one of them would end at the tag.

import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { RETRY_RANDOM } from '../../src/handshake/hello.ts';
import {
  ACK,
  CLIENT_ID,
  cryptoFrame,
  cryptoFrames,
  DRAFT_29,
  gquicHello,
  initialPacket,
  longHeader,
  QUIC_V1,
  QUIC_V2,
  RESERVED,
  retryPacket,
  SERVER_ID,
  type TestInitial,
  versionNegotiation,
} from '../helpers/quic.ts';
import { makeRecord, type TestSegment } from '../helpers/records.ts';
import {
  clientHello,
  dtlsFragments,
  records,
  serverHello,
  type TestHello,
} from '../helpers/tls.ts';

/** xorshift32: seeded, so that a finding can be had again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** 0 to below. */
  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % bound;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

const RICH: TestHello = {
  sni: 'fuzz.example',
  alpn: ['h2', 'http/1.1'],
  versions: [0x0a0a, 0x0304, 0x0303],
  keyShares: [
    [0x1a1a, Buffer.alloc(1)],
    [29, Buffer.alloc(32, 1)],
  ],
  ticket: Buffer.alloc(40, 2),
  ech: Buffer.alloc(60, 3),
  padding: 20,
  more: [
    [57, Buffer.from('01048000753004048010000008024064', 'hex')],
    [41, Buffer.alloc(50, 4)],
    [44, Buffer.alloc(20, 5)],
  ],
};
const HELLO = clientHello(RICH);
const RETRY = serverHello({
  random: RETRY_RANDOM,
  keyShare: Buffer.from('001d', 'hex'),
});
const DTLS_HELLO = clientHello({
  ...RICH,
  legacyVersion: 0xfefd,
  cookie: Buffer.alloc(16, 6),
});
const CHANGE_CIPHER_SPEC = Buffer.from('140303000101', 'hex');

/** What a flow sends, before it is broken. */
interface Seed {
  readonly protocol: 6 | 17;
  readonly parts: readonly (readonly ['up' | 'down', Buffer | TestInitial])[];
}

const initial = (options: Partial<TestInitial> = {}): TestInitial => ({
  frames: [ACK, ...cryptoFrames(HELLO, [60, 150])],
  ...options,
});
const reply: TestInitial = {
  from: 'server',
  destination: Buffer.alloc(0),
  source: SERVER_ID,
  keyId: CLIENT_ID,
  frames: [ACK, cryptoFrame(0, serverHello())],
};

const SEEDS: readonly Seed[] = [
  {
    protocol: 6,
    parts: [
      ['up', records(HELLO, 120)],
      ['down', records(serverHello())],
    ],
  },
  {
    protocol: 6,
    parts: [
      ['up', Buffer.concat([records(HELLO), CHANGE_CIPHER_SPEC, records(HELLO)])],
      [
        'down',
        Buffer.concat([records(RETRY), CHANGE_CIPHER_SPEC, records(serverHello())]),
      ],
    ],
  },
  {
    protocol: 6,
    parts: [
      ['up', Buffer.from('CONNECT a:443 HTTP/1.1\r\n\r\n', 'latin1')],
      ['down', Buffer.from('HTTP/1.1 200 OK\r\n\r\n', 'latin1')],
      ['up', records(HELLO)],
      ['down', records(serverHello())],
    ],
  },
  {
    protocol: 17,
    parts: [
      ...dtlsFragments(DTLS_HELLO, 0, [40, 200]).map((bytes) => ['up', bytes] as const),
      ...dtlsFragments(serverHello(), 0).map((bytes) => ['down', bytes] as const),
    ],
  },
  {
    protocol: 17,
    parts: [
      ['up', initial()],
      ['down', reply],
      ['up', initial({ number: 1, destination: SERVER_ID, keyId: CLIENT_ID })],
    ],
  },
  {
    protocol: 17,
    parts: [
      ['up', initial({ version: QUIC_V2 })],
      ['down', { ...reply, version: QUIC_V2 }],
    ],
  },
  {
    protocol: 17,
    parts: [
      ['up', initial({ version: RESERVED, like: DRAFT_29, paddedTo: 1_200 })],
      ['down', versionNegotiation([DRAFT_29, QUIC_V1])],
      ['up', initial({ version: DRAFT_29 })],
      ['down', retryPacket(Buffer.alloc(0), SERVER_ID)],
      ['up', initial({ version: DRAFT_29, destination: SERVER_ID })],
    ],
  },
  {
    protocol: 17,
    parts: [
      [
        'up',
        Buffer.concat([
          longHeader(QUIC_V1, 1, CLIENT_ID, SERVER_ID),
          Buffer.from([0x40, 30]),
          Buffer.alloc(30, 0x55),
        ]),
      ],
      ['up', initial()],
    ],
  },
  {
    protocol: 17,
    parts: [
      [
        'up',
        Buffer.concat([
          Buffer.from([0x09]),
          CLIENT_ID,
          Buffer.from('Q043', 'latin1'),
          Buffer.alloc(17),
          gquicHello({ sni: 'fuzz.example', padding: 60 }),
        ]),
      ],
      [
        'up',
        initial({
          version: 0x5130_3530,
          frames: [cryptoFrame(0, gquicHello({ sni: 'a', padding: 9 }), 8)],
        }),
      ],
    ],
  },
];

const CHEAP = SEEDS.filter(({ parts }) =>
  parts.every(([, part]) => Buffer.isBuffer(part)),
);

/** Encryption costs more than all else together: half of the flows do without. */
function pickSeed(random: Random): Seed {
  return random.pick(random.below(2) === 0 ? CHEAP : SEEDS);
}

/** Values that lengths and counts like least. */
const NASTY = [0, 1, 2, 3, 0x0a, 0x16, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** Some bytes other than they were: set, moved, cut or doubled. */
function broken(bytes: Uint8Array, random: Random): Buffer {
  let out = Buffer.from(bytes);
  for (let changes = random.below(5); changes > 0 && out.byteLength > 0; changes--) {
    const at = random.below(out.byteLength);
    const span = 1 + random.below(Math.min(24, out.byteLength - at));
    switch (random.below(8)) {
      case 0:
        out = out.subarray(0, at);
        break;
      case 1:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + span)]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at + span), out.subarray(at)]);
        break;
      case 3:
        out.copyWithin(random.below(out.byteLength), at, at + span);
        break;
      case 4:
        out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
        break;
      default:
        out[at] = random.pick(NASTY);
    }
  }
  return out;
}

function packetOf(part: Buffer | TestInitial, random: Random): Buffer {
  if (Buffer.isBuffer(part)) return broken(part, random);
  // Half of them inside the encryption, half outside.
  if (random.below(2) === 0) return broken(initialPacket(part), random);
  return initialPacket({ ...part, frames: part.frames.map((f) => broken(f, random)) });
}

/** One hostile flow; the same for the same state of `random`. */
export function hostileFlow(random: Random): FlowRecord {
  const seed = pickSeed(random);
  // Now and then, parts of another flow in between.
  const other = random.below(8) === 0 ? pickSeed(random).parts : [];
  const parts = [...seed.parts, ...other];
  const next = { up: 1, down: 1 };
  const segments: TestSegment[] = parts.flatMap(([direction, part], number) => {
    const bytes = packetOf(part, random);
    const tcp = seed.protocol === 6;
    const cut = random.below(Math.max(1, bytes.byteLength));
    const sequence = next[direction];
    next[direction] += bytes.byteLength;
    const whole = { direction, sequence: tcp ? sequence : number, bytes };
    if (!tcp || random.below(2) === 0) {
      return [{ ...whole, captureCut: random.below(16) === 0 }];
    }
    return [
      { ...whole, bytes: bytes.subarray(0, cut) },
      { direction, sequence: sequence + cut, bytes: bytes.subarray(cut) },
    ];
  });
  if (random.below(3) === 0) segments.sort(() => random.below(3) - 1);
  const syn =
    random.below(2) === 0 ? {} : { initialSequenceUp: 1, initialSequenceDown: 1 };
  return makeRecord({ protocol: seed.protocol, segments, ...syn });
}
