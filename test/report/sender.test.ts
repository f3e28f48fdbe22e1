import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { InputError } from '../../src/errors.ts';
import type { Report } from '../../src/report/report.ts';
import type { Clock } from '../../src/report/retry.ts';
import { type RefusedReport, Sender, type SenderState } from '../../src/report/sender.ts';
import { Spool } from '../../src/report/spool.ts';
import { JumpingClock, ManualClock } from '../helpers/clocks.ts';
import { ControllerStub, until } from '../helpers/controller-stub.ts';
import { bytesBelow, nextReport, sequencesOf } from '../helpers/reports.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const TOKEN = 'token-of-branch-1';

interface Site {
  readonly spool: Spool;
  readonly directory: string;
  readonly states: SenderState[];
  readonly refused: RefusedReport[];
  append(count: number, shape?: { classes?: number }): Promise<Report[]>;
  /** Ends the sender and waits for it. */
  stop(): Promise<void>;
}

interface SiteOptions {
  readonly clock?: Clock;
  readonly maxBytes?: number;
  readonly ca?: string;
  readonly timeoutMs?: number;
  /** Reports that wait before the sender starts. */
  readonly waiting?: number;
  readonly classes?: number;
}

/** A spool with a sender that runs; both end with the test. */
async function siteOf(
  t: ExecutionContext,
  controller: string,
  options: SiteOptions = {},
): Promise<Site> {
  const { clock = new JumpingClock(), maxBytes = 1 << 20, waiting = 0 } = options;
  const { classes = 1, ca, timeoutMs = 20_000 } = options;
  const directory = temporaryFolder('spool');
  const spool = await Spool.open({ directory, maxBytes, sync: false });
  const states: SenderState[] = [];
  const refused: RefusedReport[] = [];
  const append = async (count: number, shape = { classes }): Promise<Report[]> => {
    const reports = Array.from({ length: count }, () => nextReport(spool, shape));
    for (const report of reports) await spool.append(report);
    return reports;
  };
  await append(waiting);
  const sender = new Sender({
    ...{ controller, token: TOKEN, spool, clock, timeoutMs, random: () => 0.5 },
    ...(ca === undefined ? {} : { ca }),
    onState: (state) => states.push(state),
    onRefused: (report) => refused.push(report),
  });
  const ending = new AbortController();
  const running = sender.run(ending.signal);
  const stop = async () => {
    ending.abort();
    await running;
  };
  t.teardown(async () => {
    await stop();
    await spool.close();
  });
  return { spool, directory, states, refused, append, stop };
}

async function stubOf(
  t: ExecutionContext,
  ...args: ConstructorParameters<typeof ControllerStub>
): Promise<ControllerStub> {
  const stub = await new ControllerStub(...args).start();
  t.teardown(() => stub.stop());
  return stub;
}

async function isSent({ spool }: Site): Promise<void> {
  await until(() => spool.counters().waiting === 0);
  // In its turn behind the acknowledgement: the sender has told what came of it.
  await spool.peek({ reports: 1, bytes: 1 });
}

const from = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => first + i);

test('reports arrive in order, in one connection, with the token, no more than 100 a request', async (t) => {
  const stub = await stubOf(t, () => 'take');
  const site = await siteOf(t, `${stub.address}/behind/a/path/`, { waiting: 250 });
  await isSent(site);
  const later = await site.append(1);
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), from(0, 251));
  t.deepEqual(stub.taken.at(-1), later[0]);
  t.deepEqual(
    stub.requests.map(({ reports }) => reports.length),
    [100, 100, 50, 1],
  );
  const [first] = stub.requests;
  t.is(first?.path, '/behind/a/path/v1/reports');
  t.is(first?.headers.authorization, `Bearer ${TOKEN}`);
  t.is(first?.headers['content-type'], 'application/json');
  t.is(stub.connections, 1);
  t.deepEqual(
    site.states.map(({ state }) => state),
    ['connected'],
  );
});

test('a body stays below 512 KiB', async (t) => {
  const stub = await stubOf(t, () => 'take');
  const options = { waiting: 60, classes: 200, maxBytes: 1 << 23 };
  const site = await siteOf(t, stub.address, options);
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), from(0, 60));
  t.true(stub.requests.every(({ bytes }) => bytes < 1 << 19));
  t.true(stub.requests.some(({ bytes }) => bytes > 1 << 18));
});

test('what was taken but not answered comes again under the same boot and sequence', async (t) => {
  const stub = await stubOf(t, (_, i) => (i === 0 ? 'take-and-close' : 'take'));
  const site = await siteOf(t, stub.address, { waiting: 3 });
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken.slice(0, 3)), [0, 1, 2]);
  t.deepEqual(stub.taken.slice(3), stub.taken.slice(0, 3));
});

test('a connection that the controller closed while it was kept is no outage', async (t) => {
  // The second request dies on the kept connection, as if it crossed the server's close.
  const stub = await stubOf(t, (_, i) => (i === 1 ? 'close' : 'take'));
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { waiting: 1, clock });
  await isSent(site);
  await site.append(1);
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), [0, 1]);
  t.deepEqual(clock.waits, []);
  t.is(site.states.length, 1);
});

test('with the controller away for 10 minutes a small spool stays within its bound, and what it kept arrives in order', async (t) => {
  const maxBytes = 1 << 16;
  const stub = await stubOf(t, () => 'take');
  const clock = new ManualClock();
  const site = await siteOf(t, stub.address, { clock, maxBytes, waiting: 1 });
  await isSent(site);
  await stub.stop();
  for (let second = 0; second < 600; second++) {
    await site.append(1);
    clock.advance(1_000);
    t.true(bytesBelow(site.directory) <= maxBytes);
  }
  const { spoolDropped } = site.spool.counters();
  t.true(spoolDropped > 100);
  t.deepEqual(
    site.states.map(({ state }) => state),
    ['connected', 'away'],
    'told once, not for each try',
  );
  await stub.start();
  while (site.spool.counters().waiting > 0) {
    clock.advance(300_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(sequencesOf(stub.taken), [
    0,
    ...from(1 + spoolDropped, 600 - spoolDropped),
  ]);
  t.is(site.spool.counters().acknowledged, stub.taken.length);
  await isSent(site);
  t.is(site.states.at(-1)?.state, 'connected');
});

test('tries come ever later while the controller is away', async (t) => {
  const stub = await stubOf(t, (_, i) => (i < 6 ? 'close' : 'take'));
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 1 });
  await isSent(site);
  t.deepEqual(clock.waits, [1_500, 2_500, 4_500, 8_500, 16_500, 32_500]);
  const [away, connected] = site.states;
  t.like(away, { state: 'away' });
  t.is((connected?.sinceMs ?? 0) - (away?.sinceMs ?? 0), 66_000);
});

test('Retry-After is waited for', async (t) => {
  const answers = [
    { status: 429, headers: { 'retry-after': '120' }, detail: 'slowly' },
    { status: 503, headers: { 'retry-after': '600' } },
    { status: 408 },
  ];
  const stub = await stubOf(t, (_, i) => answers[i] ?? 'take');
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 2 });
  await isSent(site);
  t.deepEqual(clock.waits, [120_500, 600_500, 4_500]);
  const reason = `controller ${stub.address} answers 429: slowly`;
  t.like(site.states[0], { state: 'away', reason });
  t.deepEqual(sequencesOf(stub.taken), [0, 1]);
});

test('a token that is refused is told once, tried slowly, and works once it is mended', async (t) => {
  const stub = await stubOf(t, (_, i) =>
    i < 4 ? { status: i < 2 ? 401 : 403, detail: 'unknown token' } : 'take',
  );
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 5 });
  await isSent(site);
  t.deepEqual(clock.waits, [225_000, 225_000, 225_000, 225_000]);
  t.deepEqual(
    site.states.map((state) => ('reason' in state ? state.reason : state.state)),
    [
      `controller ${stub.address} refuses the token (401: unknown token): expected the one that it gave for this site`,
      'connected',
    ],
  );
  t.deepEqual(sequencesOf(stub.taken), [0, 1, 2, 3, 4]);
  t.is(site.spool.counters().refused, 0);
});

test('a body that is too large is halved until it fits', async (t) => {
  const stub = await stubOf(t, ({ bytes }) =>
    bytes > 3_000 ? { status: 413, detail: 'too large' } : 'take',
  );
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 90 });
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), from(0, 90));
  t.deepEqual(clock.waits, []);
  const tooLarge = stub.requests.filter(({ bytes }) => bytes > 3_000).length;
  t.true(tooLarge >= 3 && tooLarge < 6, 'the size is kept');
});

test('one report that is too large for the controller is moved to refused, and the rest goes on', async (t) => {
  const stub = await stubOf(t, ({ bytes }) => (bytes > 3_000 ? { status: 413 } : 'take'));
  const site = await siteOf(t, stub.address);
  await site.append(1);
  await site.append(1, { classes: 100 });
  await site.append(1);
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), [0, 2]);
  t.like(site.refused, [{ sequence: 1, status: 413 }]);
});

test('reports that the controller calls invalid are found by halving and moved to refused, with what it said', async (t) => {
  const bad = new Set([7, 70, 71, 130, 149]);
  const stub = await stubOf(t, ({ reports }) => {
    const found = reports.find(({ sequence }) => bad.has(sequence));
    return found === undefined
      ? 'take'
      : { status: 422, detail: `report ${found.sequence}: no` };
  });
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 150 });
  await isSent(site);
  t.deepEqual(
    sequencesOf(stub.taken),
    from(0, 150).filter((sequence) => !bad.has(sequence)),
  );
  t.deepEqual(
    site.refused.map(({ sequence, detail }) => `${sequence}: ${detail}`),
    [...bad].map((sequence) => `${sequence}: report ${sequence}: no`),
  );
  t.is(site.spool.counters().refused, 5);
  t.true(stub.requests.length <= 38, `${stub.requests.length} requests`);
  t.deepEqual(clock.waits, []);
  const lines = readFileSync(join(site.directory, 'refused/refused.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.is(lines.length, 5);
  t.like(lines[0], { status: 422, detail: 'report 7: no', report: { sequence: 7 } });
});

test('refused reports are bounded too', async (t) => {
  const maxBytes = 1 << 16;
  const stub = await stubOf(t, () => ({ status: 400, detail: 'never' }));
  const site = await siteOf(t, stub.address, { maxBytes });
  for (let i = 0; i < 60; i++) {
    await site.append(1);
    await isSent(site);
    t.true(bytesBelow(site.directory) <= maxBytes);
  }
  t.is(site.refused.length, 60);
  t.true(bytesBelow(join(site.directory, 'refused')) <= maxBytes / 16);
  t.regex(
    readFileSync(join(site.directory, 'refused/refused.jsonl'), 'utf8'),
    /"sequence":59,/,
  );
});

for (const [title, answer, reason] of [
  [
    'a 400 that is no problem of a controller',
    { status: 400 },
    'answers 400: expected a Sluice controller at this address',
  ],
  ['another program', { status: 404 }, 'answers 404: expected a Sluice controller'],
  [
    'a redirect',
    { status: 301, headers: { location: 'https://elsewhere.example/' } },
    'answers 301 and points to https://elsewhere.example/: give the address',
  ],
] as const) {
  test(`${title} costs no report: told, tried slowly`, async (t) => {
    const stub = await stubOf(t, (_, i) => (i < 2 ? answer : 'take'));
    const clock = new JumpingClock();
    const site = await siteOf(t, stub.address, { clock, waiting: 1 });
    await isSent(site);
    const [denied] = site.states;
    t.is(denied?.state, 'denied');
    t.true(denied !== undefined && 'reason' in denied && denied.reason.includes(reason));
    t.deepEqual(clock.waits, [225_000, 225_000]);
    t.deepEqual(site.refused, []);
  });
}

for (const act of ['hang', 'half-answer'] as const) {
  test(`a controller that never answers (${act}) is given up after the timeout`, async (t) => {
    const stub = await stubOf(t, (_, i) => (i === 0 ? act : 'take'));
    // Long enough for a busy machine, as a second try that is given up too would be taken twice.
    const site = await siteOf(t, stub.address, { timeoutMs: 700, waiting: 1 });
    await isSent(site);
    t.like(site.states[0], {
      state: 'away',
      reason: `controller ${stub.address} cannot be reached: no answer within 700 ms`,
    });
    t.is(stub.taken.at(-1)?.sequence, 0);
  });
}

test('a slow line gets on with fewer reports a request', async (t) => {
  const stub = await stubOf(t, ({ reports }) => (reports.length > 20 ? 'close' : 'take'));
  const site = await siteOf(t, stub.address, { waiting: 300 });
  await isSent(site);
  t.deepEqual(sequencesOf(stub.taken), from(0, 300));
});

test('a name that does not resolve is told in one line, and tried again', async (t) => {
  const clock = new JumpingClock();
  const controller = 'http://controller.invalid:8080';
  const site = await siteOf(t, controller, { clock, waiting: 1 });
  await until(() => clock.waits.length >= 3);
  await site.stop();
  t.is(site.states.length, 1);
  const [away] = site.states;
  t.regex(
    away?.state === 'away' ? away.reason : '',
    /^controller http:\/\/controller\.invalid:8080: the name controller\.invalid does not resolve \((ENOTFOUND|EAI_AGAIN)\): check the address and the name server$/,
  );
  t.is(site.spool.counters().waiting, 1);
});

test('a port where nothing listens is told', async (t) => {
  const stub = await stubOf(t, () => 'take');
  await stub.stop();
  const clock = new JumpingClock();
  const site = await siteOf(t, stub.address, { clock, waiting: 1 });
  await until(() => clock.waits.length >= 2);
  const [away] = site.states;
  t.regex(away?.state === 'away' ? away.reason : '', /ECONNREFUSED/);
  await stub.start();
  await isSent(site);
});

test('the signal ends a request in flight, a wait and a rest; nothing is lost', async (t) => {
  const stub = await stubOf(t, () => 'hang');
  const inFlight = await siteOf(t, stub.address, { waiting: 2 });
  await until(() => stub.requests.length === 1);
  await inFlight.stop();
  t.is(inFlight.spool.counters().waiting, 2);
  t.deepEqual(inFlight.states, []);
  const midst = await stubOf(t, () => 'half-answer');
  const inAnswer = await siteOf(t, midst.address, { waiting: 2 });
  await until(() => midst.requests.length === 1);
  await inAnswer.stop();
  t.is(inAnswer.spool.counters().waiting, 2);
  const clock = new ManualClock();
  const refusing = await stubOf(t, () => ({ status: 500 }));
  const waits = await siteOf(t, refusing.address, { clock, waiting: 1 });
  await until(() => waits.states.length === 1);
  await waits.stop();
  t.is(waits.spool.counters().waiting, 1);
  const rests = await siteOf(t, stub.address);
  await rests.stop();
  t.pass();
});

function authority(): { ca: string; cert: string; key: string } {
  const directory = temporaryFolder('spool');
  const run = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run(
    ...['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-subj', '/CN=Sluice test root', '-days', '2'],
  );
  run(
    ...['req', '-x509', ...key, '-keyout', 'leaf.key', '-out', 'leaf.pem'],
    ...['-subj', '/CN=localhost', '-days', '2', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
    ...['-addext', 'subjectAltName=DNS:localhost'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { ca: read('ca.pem'), cert: read('leaf.pem'), key: read('leaf.key') };
}

test('TLS with an authority of the own is trusted where it is given, and nowhere else', async (t) => {
  const { ca, cert, key } = authority();
  const stub = await stubOf(t, () => 'take', { cert, key });
  const site = await siteOf(t, stub.address, { ca, waiting: 150 });
  await isSent(site);
  t.is(stub.taken.length, 150);
  t.is(stub.connections, 1);
  const other = authority();
  for (const options of [{}, { ca: other.ca }]) {
    const clock = new JumpingClock();
    const stranger = await siteOf(t, stub.address, { ...options, clock, waiting: 1 });
    await until(() => clock.waits.length >= 2);
    await stranger.stop();
    const [away] = stranger.states;
    const reason = away?.state === 'away' ? away.reason : '';
    t.regex(
      reason,
      /its certificate is not trusted \(UNABLE_TO_.*give the authority that signed it$/,
    );
    t.is(stranger.spool.counters().waiting, 1);
  }
  t.is(stub.taken.length, 150);
});

for (const [wish, code] of [
  [{ controller: 'controller.example' }, 'ERR_CONTROLLER_ADDRESS'],
  [{ controller: 'ftp://controller.example' }, 'ERR_CONTROLLER_ADDRESS'],
  [{ token: '' }, 'ERR_CONTROLLER_TOKEN'],
  [{ token: 'two words\n' }, 'ERR_CONTROLLER_TOKEN'],
] as const) {
  test(`${JSON.stringify(wish)} is told at once`, async (t) => {
    const spool = await Spool.open({ directory: temporaryFolder('spool') });
    const options = { controller: 'https://controller.example', token: TOKEN, ...wish };
    const rest = { spool, onState: () => undefined, onRefused: () => undefined };
    const fault = t.throws(() => new Sender({ ...options, ...rest }), {
      instanceOf: InputError,
    });
    t.is(fault?.code, code);
    t.false(fault?.message.includes('two words'), 'the token is never told');
    await spool.close();
  });
}
