import test from 'ava';
import fc from 'fast-check';
import { CollectSessions, type LiveSession } from '../../src/dataset/collect-sessions.ts';
import type { LabelMatch } from '../../src/dataset/label-table.ts';
import {
  SESSION_GAP_US,
  type SessionFlow,
  sessionsOf,
} from '../../src/dataset/sessions.ts';

const label = (service: string, application?: string): LabelMatch => ({
  service,
  application,
  by: 'suffix',
  matched: 'example.com',
  place: 'table:1',
});

const flow = (startUs: number, options: Partial<SessionFlow> = {}): SessionFlow => ({
  peers: 'tls 10.0.0.1 192.0.2.1 443',
  startUs,
  endUs: startUs + 1_000_000,
  software: 'browser',
  resumption: [],
  label: undefined,
  ...options,
});

function take(flows: readonly SessionFlow[]): LiveSession[] {
  const sessions = new CollectSessions(1_000);
  return flows.map((each) => sessions.take(each));
}

interface Case {
  readonly title: string;
  readonly flows: readonly SessionFlow[];
  /** Session, service and where it is from, of each flow. */
  readonly seen: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: 'a label spreads to later flows of the same peers within 300 s',
    flows: [flow(0, { label: label('mail') }), flow(200_000_000), flow(400_000_000)],
    seen: ['0 mail name', '0 mail session', '0 mail session'],
  },
  {
    title: 'a gap of more than 300 s ends a session',
    flows: [flow(0, { label: label('mail') }), flow(1_000_001 + SESSION_GAP_US)],
    seen: ['0 mail name', '1 -'],
  },
  {
    title: 'a label never spreads to what ended before it was known',
    flows: [flow(0), flow(5_000_000, { label: label('mail') })],
    seen: ['0 -', '0 mail name'],
  },
  {
    title: 'other software behind the same address is another client',
    flows: [flow(0, { label: label('mail') }), flow(5_000_000, { software: 'other' })],
    seen: ['0 mail name', '1 -'],
  },
  {
    title: 'a flow without a ClientHello joins where there is one kind of software',
    flows: [
      flow(0, { label: label('mail') }),
      flow(5_000_000, { software: undefined }),
      flow(6_000_000, { software: 'other' }),
      flow(7_000_000, { software: undefined }),
    ],
    seen: ['0 mail name', '0 mail session', '1 -', '2 -'],
  },
  {
    title: 'a ticket joins whatever the peers are',
    flows: [
      flow(0, { label: label('mail'), resumption: ['ticket'] }),
      flow(9e9, { peers: 'tls 10.0.0.1 192.0.2.9 443', resumption: ['ticket'] }),
    ],
    seen: ['0 mail name', '0 mail session'],
  },
  {
    title: 'names of several services spread nothing',
    flows: [
      flow(0, { label: label('mail') }),
      flow(1, { label: label('chat') }),
      flow(2),
    ],
    seen: ['0 mail name', '0 chat name', '0 -'],
  },
];

const text = ({ session, label: found, source }: LiveSession): string =>
  `${session} ${found === undefined ? '-' : `${found.service} ${source}`}`;

for (const { title, flows, seen } of CASES) {
  test(title, (t) => {
    t.deepEqual(take(flows).map(text), seen);
  });
}

test('of several applications of one service the service spreads', (t) => {
  const [, , last] = take([
    flow(0, { label: label('mail', 'gmail') }),
    flow(1, { label: label('mail', 'outlook') }),
    flow(2),
  ]);
  t.is(last?.label?.service, 'mail');
  t.is(last?.label?.application, undefined);
});

/** Flows that end in the order in which they begin, all with a ClientHello. */
const anyFlows = fc
  .array(
    fc.record({
      gap: fc.nat(400_000_000),
      peers: fc.constantFrom('a', 'b', 'c'),
      software: fc.constantFrom('x', 'y'),
      service: fc.constantFrom(undefined, undefined, 'mail', 'chat'),
    }),
    { maxLength: 40 },
  )
  .map((drawn) => {
    let startUs = 0;
    return drawn.map(({ gap, peers, software, service }) => {
      startUs += gap;
      const own = service === undefined ? undefined : label(service);
      return flow(startUs, { peers, software, label: own });
    });
  });

test('sessions are those that are found with all flows at hand', (t) => {
  fc.assert(
    fc.property(anyFlows, (flows) => {
      const live = take(flows);
      const whole = sessionsOf(flows).flows;
      const numbers = new Map<number, number>();
      live.forEach(({ session, label: found, source }, i) => {
        const expected = whole[i]?.session ?? -1;
        const known = numbers.get(session);
        if (known === undefined) numbers.set(session, expected);
        else t.is(known, expected);
        // What spreads on the way is a part of what spreads in the end, but where names clash later.
        if (source === 'name') t.is(found, whole[i]?.label);
      });
      t.is(new Set(numbers.values()).size, numbers.size);
    }),
  );
});

test('memory is bounded whatever comes; what is pushed out is counted', (t) => {
  const sessions = new CollectSessions(16);
  for (let i = 0; i < 1_000; i++) {
    sessions.take(flow(i, { peers: `peer ${i}`, resumption: [`ticket ${i}`] }));
    t.true(sessions.size <= 16);
  }
  t.is(sessions.forgotten, 984);
  // Silence empties it too.
  sessions.take(flow(10 * SESSION_GAP_US, { peers: 'late' }));
  t.is(sessions.size, 1);
});
