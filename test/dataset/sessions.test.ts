import test from 'ava';
import fc from 'fast-check';
import type { LabelMatch } from '../../src/dataset/label-table.ts';
import {
  SESSION_GAP_US,
  type SessionFlow,
  sessionFlow,
  sessionsOf,
} from '../../src/dataset/sessions.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { makeRecord } from '../helpers/records.ts';
import { clientHello, records, serverHello, type TestHello } from '../helpers/tls.ts';

const label = (service: string, application?: string): LabelMatch => ({
  service,
  application,
  by: 'suffix',
  matched: 'example.com',
  place: 'table:1',
});

const flow = (options: Partial<SessionFlow> = {}): SessionFlow => ({
  peers: 'tls 10.0.0.1 192.0.2.1 443',
  startUs: 0,
  endUs: 1_000_000,
  software: 'browser',
  resumption: [],
  label: undefined,
  ...options,
});
const at = (startUs: number): Pick<SessionFlow, 'startUs' | 'endUs'> => ({
  startUs,
  endUs: startUs + 1_000_000,
});

interface Case {
  readonly title: string;
  readonly flows: readonly SessionFlow[];
  /** Session of each flow. */
  readonly sessions: readonly number[];
  /** Service of each flow, and where it is from. */
  readonly labels?: readonly (string | undefined)[];
}

const CASES: readonly Case[] = [
  {
    title: 'flows of the same peers within 300 s of each other share a session',
    flows: [flow({ label: label('mail') }), flow(at(200_000_000)), flow(at(400_000_000))],
    sessions: [0, 0, 0],
    labels: ['mail name', 'mail session', 'mail session'],
  },
  {
    title: 'a gap of more than 300 s behind the end of the last ends a session',
    flows: [flow({ label: label('mail') }), flow(at(1_000_001 + SESSION_GAP_US))],
    sessions: [0, 1],
    labels: ['mail name', undefined],
  },
  {
    title: 'other ports and servers are other sessions',
    flows: [
      flow({ label: label('mail') }),
      flow({ peers: 'tls 10.0.0.1 192.0.2.1 993' }),
    ],
    sessions: [0, 1],
  },
  {
    title: 'behind a NAT different software makes different sessions',
    flows: [
      flow({ label: label('mail') }),
      flow({ software: 'phone', label: label('games') }),
      flow(at(5)),
      flow({ ...at(6), software: 'phone' }),
    ],
    sessions: [0, 1, 0, 1],
    labels: ['mail name', 'games name', 'mail session', 'games session'],
  },
  {
    title: 'a flow without a ClientHello joins the only software there is',
    flows: [flow({ label: label('mail') }), flow({ ...at(5), software: undefined })],
    sessions: [0, 0],
    labels: ['mail name', 'mail session'],
  },
  {
    title: 'a flow without a ClientHello joins none of two',
    flows: [
      flow({ label: label('mail') }),
      flow({ software: 'phone' }),
      flow({ ...at(5), software: undefined }),
    ],
    sessions: [0, 1, 2],
    labels: ['mail name', undefined, undefined],
  },
  {
    title: 'a TLS session that is taken up again is one, however late and wherever',
    flows: [
      flow({ label: label('mail'), resumption: ['a'] }),
      flow({ ...at(1e12), peers: 'tls 10.0.0.1 192.0.2.9 443', resumption: ['a'] }),
    ],
    sessions: [0, 0],
    labels: ['mail name', 'mail session'],
  },
  {
    title: 'where names of a session stand for different services nothing spreads',
    flows: [
      flow({ label: label('mail') }),
      flow({ ...at(1), label: label('web') }),
      flow(at(2)),
    ],
    sessions: [0, 0, 0],
    labels: ['mail name', 'web name', undefined],
  },
];
for (const { title, flows, sessions, labels } of CASES) {
  test(title, (t) => {
    const found = sessionsOf(flows).flows;
    t.deepEqual(
      found.map(({ session }) => session),
      sessions,
    );
    if (labels === undefined) return;
    t.deepEqual(
      found.map(({ label, source }) => label && `${label.service} ${source}`),
      labels,
    );
  });
}

test('of two applications of one service only the service spreads', (t) => {
  const found = sessionsOf([
    flow({ label: label('chat', 'a') }),
    flow({ ...at(1), label: label('chat', 'b') }),
    flow(at(2)),
  ]);
  t.like(found.flows[2]?.label, { service: 'chat', application: undefined });
  t.is(found.conflicts, 0);
});

test('sessions do not depend on the order of the flows', (t) => {
  const drawn = fc.record({
    peers: fc.constantFrom('a', 'b'),
    startUs: fc.nat(20).map((n) => n * 100_000_000),
    software: fc.constantFrom('x', 'y', undefined),
    resumption: fc.subarray(['p', 'q']),
  });
  const grouping = (flows: readonly SessionFlow[], order: readonly number[]): string => {
    const found = sessionsOf(order.map((i) => flows[i] ?? flow())).flows;
    const session = new Map(order.map((i, at) => [i, found[at]?.session]));
    return flows
      .map((_, i) =>
        flows.map((_, j) => (session.get(i) === session.get(j) ? 1 : 0)).join(''),
      )
      .join(' ');
  };
  fc.assert(
    fc.property(
      fc.array(drawn, { minLength: 2, maxLength: 9 }).chain((flows) =>
        fc.tuple(
          fc.constant(flows.map((f) => flow({ ...f, endUs: f.startUs + 1 }))),
          fc.shuffledSubarray([...flows.keys()], {
            minLength: flows.length,
            maxLength: flows.length,
          }),
        ),
      ),
      ([flows, order]) => grouping(flows, [...flows.keys()]) === grouping(flows, order),
    ),
  );
  t.pass();
});

/** A flow with these hellos, as sessions see it. */
function seen(hello: TestHello, answer: Uint8Array): SessionFlow {
  const record = makeRecord({
    initialSequenceUp: 1,
    initialSequenceDown: 1,
    segments: [
      { direction: 'up', sequence: 1, bytes: records(clientHello(hello)) },
      { direction: 'down', sequence: 1, bytes: records(answer) },
    ],
  });
  return sessionFlow(record, handshakeOf(record), undefined);
}

/** Without supported_versions it is of TLS 1.2. */
function oldAnswer(sessionId: Uint8Array): Buffer {
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 1),
    Buffer.from([sessionId.byteLength]),
    sessionId,
    Buffer.from('c02f00', 'hex'),
  ]);
  return Buffer.concat([Buffer.from([2, 0, 0, body.byteLength]), body]);
}

test('a session id that the server gave and the client brings back is one session', (t) => {
  const id = Buffer.alloc(32, 5);
  const first = seen({ sessionId: Buffer.alloc(0), sni: 'a' }, oldAnswer(id));
  const later = seen({ sessionId: id, sni: 'b' }, oldAnswer(id));
  t.is(sessionsOf([first, { ...later, peers: 'elsewhere' }]).sessions, 1);
});

test('ids of TLS 1.3 are noise, and join nothing', (t) => {
  const [one, other] = [1, 2].map(() =>
    seen({ sessionId: Buffer.alloc(32, 5) }, serverHello()),
  );
  if (one === undefined || other === undefined) return t.fail();
  t.deepEqual(one.resumption, []);
  t.is(sessionsOf([one, { ...other, peers: 'elsewhere' }]).sessions, 2);
});

test('software is the same whatever the name, the keys, the ticket and the order of extensions', (t) => {
  const software = (hello: TestHello) => seen(hello, serverHello()).software;
  const one = [18, Buffer.alloc(0)] as const;
  const other = [23, Buffer.alloc(0)] as const;
  const plain = software({
    sni: 'a.example',
    more: [one, other],
    cipherSuites: [0x0a0a, 1],
  });
  t.is(
    software({
      sni: 'other.example',
      ticket: Buffer.alloc(90),
      padding: 40,
      more: [
        other,
        [41, Buffer.alloc(9)],
        [42, Buffer.alloc(0)],
        [0x3a3a, Buffer.alloc(0)],
        one,
      ],
      cipherSuites: [1, 0x2a2a],
    }),
    plain,
  );
  t.not(software({ more: [one], cipherSuites: [1] }), plain);
  t.not(software({ more: [one, other], cipherSuites: [1, 2] }), plain);
  t.not(software({ more: [one, other], cipherSuites: [1], alpn: ['h2'] }), plain);
});
