import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { SpoolError } from '../../src/errors.ts';
import type { Report } from '../../src/report/report.ts';
import { Spool } from '../../src/report/spool.ts';
import { bytesBelow, nextReport, sequencesOf, waitingIn } from '../helpers/reports.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** The least bound: segments of 4 kB, so that few reports make many. */
const SMALL = 1 << 16;
const open = (directory: string, maxBytes = SMALL) =>
  Spool.open({ directory, maxBytes, sync: false });

async function append(
  spool: Spool,
  count: number,
  shape: { classes?: number } = {},
): Promise<Report[]> {
  const reports = Array.from({ length: count }, () => nextReport(spool, shape));
  for (const report of reports) await spool.append(report);
  return reports;
}

test('what is appended comes again after the spool is opened anew, in order', async (t) => {
  const directory = temporaryFolder('spool');
  const first = await open(directory);
  const before = await append(first, 30);
  await first.close();
  const second = await open(directory);
  t.not(second.boot, first.boot);
  const after = await append(second, 30);
  t.deepEqual(await waitingIn(second), [...before, ...after]);
  t.like(second.counters(), { waiting: 60, appended: 30, tornTails: 0, damagedBytes: 0 });
  await second.close();
});

test('folder and files are for their user alone', async (t) => {
  const directory = join(temporaryFolder('spool'), 'in', 'spool');
  const spool = await open(directory);
  await append(spool, 1);
  await spool.acknowledge(await spool.peek({ reports: 1, bytes: 0 }));
  t.is(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory)) {
    t.is(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  }
  await spool.close();
});

test('what is acknowledged never comes again, whatever is opened or appended', async (t) => {
  const directory = temporaryFolder('spool');
  const seen: Report[] = [];
  const appended: Report[] = [];
  for (let round = 0; round < 12; round++) {
    const spool = await open(directory);
    appended.push(...(await append(spool, round)));
    const reports = await spool.peek({ reports: 1 + (round % 7), bytes: 1 << 20 });
    await spool.acknowledge(reports);
    // Again, as a sender might: it is of no effect.
    await spool.acknowledge(reports);
    seen.push(...reports.map(({ json }) => JSON.parse(json) as Report));
    t.is(spool.counters().acknowledged, reports.length);
    await spool.close();
  }
  const last = await open(directory);
  t.deepEqual([...seen, ...(await waitingIn(last))], appended);
  await last.close();
});

test('a position that outlived its segments hides no report that comes later', async (t) => {
  const directory = temporaryFolder('spool');
  const first = await open(directory);
  await append(first, 5);
  await first.acknowledge(await first.peek({ reports: 5, bytes: 1 << 20 }));
  await first.close();
  await (await open(directory)).close();
  t.deepEqual(readdirSync(directory), ['acknowledged']);
  const later = await open(directory);
  await append(later, 3);
  t.deepEqual(sequencesOf(await waitingIn(later)), [0, 1, 2]);
  await later.close();
});

test('acknowledged reports that were cut off hide none that comes later', async (t) => {
  const directory = temporaryFolder('spool');
  const first = await open(directory);
  await append(first, 6);
  await first.acknowledge(await first.peek({ reports: 4, bytes: 1 << 20 }));
  await first.close();
  const path = join(directory, '0000000001.seg');
  writeFileSync(path, readFileSync(path).subarray(0, 100));
  for (const expected of [
    [0, 1],
    [0, 1, 0, 1],
  ]) {
    const later = await open(directory);
    await append(later, 2);
    t.deepEqual(sequencesOf(await waitingIn(later)), expected);
    await later.close();
  }
});

test('segments whose reports are all acknowledged are deleted', async (t) => {
  const directory = temporaryFolder('spool');
  const spool = await open(directory);
  await append(spool, 60);
  const segments = () => readdirSync(directory).filter((name) => name.endsWith('.seg'));
  t.true(segments().length > 3);
  await spool.acknowledge(await spool.peek({ reports: 60, bytes: 1 << 20 }));
  t.is(segments().length, 1);
  t.is(spool.counters().waiting, 0);
  await spool.close();
});

test('at the bound the oldest reports give way, counted, and the files stay within it', async (t) => {
  const directory = temporaryFolder('spool');
  const spool = await open(directory);
  const reports: Report[] = [];
  for (let i = 0; i < 400; i++) {
    const report = nextReport(spool, { classes: 1 + (i % 9) });
    await spool.append(report);
    reports.push(report);
    t.true(bytesBelow(directory) <= SMALL);
    // The position is one of the files.
    if (i % 50 === 0) await spool.acknowledge(await spool.peek({ reports: 1, bytes: 0 }));
  }
  const { spoolDropped, waiting, acknowledged } = spool.counters();
  t.true(spoolDropped > 0);
  t.is(spoolDropped + waiting + acknowledged, 400);
  t.true(spool.counters().bytes > SMALL * 0.8, 'what gives way is a small part');
  t.deepEqual(await waitingIn(spool), reports.slice(-waiting));
  await spool.close();
});

test('a bound that became smaller holds from the next open on', async (t) => {
  const directory = temporaryFolder('spool');
  const large = await open(directory, 1 << 20);
  await append(large, 500);
  await large.close();
  const small = await open(directory);
  const { waiting, spoolDropped } = small.counters();
  t.is(waiting + spoolDropped, 500);
  t.true(bytesBelow(directory) <= SMALL);
  await small.close();
});

test('reports that were given up while they were sent are not acknowledged twice', async (t) => {
  const spool = await open(temporaryFolder('spool'));
  await append(spool, 10);
  const inFlight = await spool.peek({ reports: 10, bytes: 1 << 20 });
  await append(spool, 300);
  await spool.acknowledge(inFlight);
  const { acknowledged, waiting, spoolDropped } = spool.counters();
  t.is(acknowledged, 0);
  t.is(waiting + spoolDropped, 310);
  t.is((await waitingIn(spool)).length, waiting);
  await spool.close();
});

test('peek keeps to its limits, but gives at least one', async (t) => {
  const spool = await open(temporaryFolder('spool'));
  const [report] = await append(spool, 40);
  const bytes = JSON.stringify(report).length;
  const counts = async (reports: number, room: number) =>
    (await spool.peek({ reports, bytes: room })).length;
  t.is(await counts(25, 1 << 20), 25);
  t.is(await counts(25, bytes * 3), 3);
  t.is(await counts(25, 1), 1);
  await spool.close();
});

test('calls that overlap take turns', async (t) => {
  const spool = await open(temporaryFolder('spool'));
  const reports = Array.from({ length: 50 }, () => nextReport(spool));
  const appends = reports.map((report) => spool.append(report));
  const peeked = spool.peek({ reports: 100, bytes: 1 << 20 });
  const closed = spool.close();
  await Promise.all(appends);
  t.is((await peeked).length, 50);
  await closed;
  await spool.close();
  const fault = await t.throwsAsync(spool.append(nextReport(spool)), {
    instanceOf: SpoolError,
  });
  t.is(fault?.code, 'ERR_SPOOL_CLOSED');
});

test('a spool that is in use is not opened again', async (t) => {
  const directory = temporaryFolder('spool');
  const spool = await open(directory);
  const fault = await t.throwsAsync(open(directory), { instanceOf: SpoolError });
  t.is(fault?.code, 'ERR_SPOOL_LOCKED');
  t.regex(fault?.message ?? '', new RegExp(`in use by process ${process.pid}`));
  await append(spool, 1);
  await spool.close();
  await (await open(directory)).close();
});

test('a process that has the number of a dead one does not hold its lock', async (t) => {
  const directory = temporaryFolder('spool');
  await (await open(directory)).close();
  // Process 1 lives, but started at another time and boot.
  const stale = ['lock-1-0-00000000', 'lock-999999999-5-00000000', 'lock-', 'lock-x-y'];
  for (const name of stale) writeFileSync(join(directory, name), '');
  const spool = await open(directory);
  const locks = readdirSync(directory).filter((name) => name.startsWith('lock-'));
  t.is(locks.length, 1);
  t.regex(locks[0] ?? '', new RegExp(`^lock-${process.pid}-\\d+-[0-9a-f]{8}$`));
  await spool.close();
});

test('a report that is too large is refused, and told how large', async (t) => {
  const spool = await open(temporaryFolder('spool'));
  const large = nextReport(spool, { classes: 250 });
  const fault = await t.throwsAsync(spool.append(large), { instanceOf: SpoolError });
  t.is(fault?.code, 'ERR_SPOOL_REPORT_SIZE');
  t.regex(fault?.message ?? '', /report 0 has \d+ bytes, expected \d+ at most/);
  await append(spool, 1);
  t.deepEqual(sequencesOf(await waitingIn(spool)), [1]);
  await spool.close();
});

for (const [title, options, code] of [
  ['a bound of no use', { maxBytes: 1_000 }, 'ERR_SPOOL_BOUND'],
  ['a bound that is no number', { maxBytes: Number.NaN }, 'ERR_SPOOL_BOUND'],
  ['a file for a folder', { directory: '/etc/hostname' }, 'ERR_SPOOL_NO_FOLDER'],
  ['a folder in a file', { directory: '/etc/hostname/x' }, 'ERR_SPOOL_NO_FOLDER'],
] as const) {
  test(`${title} is told at once`, async (t) => {
    const all = { directory: temporaryFolder('spool'), maxBytes: SMALL, ...options };
    const fault = await t.throwsAsync(Spool.open(all), { instanceOf: SpoolError });
    t.is(fault?.code, code);
  });
}

test('a file in the middle that vanishes or is damaged while the spool is open costs its reports alone', async (t) => {
  const directory = temporaryFolder('spool');
  const spool = await open(directory);
  const reports = await append(spool, 60);
  const [first = '', second = '', third = ''] = readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .toSorted();
  writeFileSync(join(directory, second), '');
  const bytes = readFileSync(join(directory, third));
  bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.byteLength - 1);
  writeFileSync(join(directory, third), bytes);
  const left = await waitingIn(spool);
  t.is(spool.counters().damagedSegments, 2);
  t.is(spool.counters().waiting, left.length);
  t.true(left.length < 60 && left.length > 40);
  t.deepEqual(
    left,
    reports.filter(({ sequence }) => left.some((report) => report.sequence === sequence)),
  );
  t.true(first < second);
  t.deepEqual(await waitingIn(spool), left);
  t.is(spool.counters().damagedSegments, 2, 'counted once');
  await append(spool, 5);
  t.is((await waitingIn(spool)).length, left.length + 5);
  await spool.close();
});

type Damage = {
  readonly file: number;
  readonly at: number;
  readonly how: 'cut' | 'flip' | 'zero-tail' | 'junk-tail';
  readonly bit: number;
};

function damage(directory: string, names: readonly string[], wish: Damage): void {
  const path = join(directory, names[wish.file % names.length] ?? '');
  const bytes = readFileSync(path);
  const at = Math.floor(wish.at * bytes.byteLength);
  const tail = Buffer.alloc(37, wish.how === 'zero-tail' ? 0 : wish.bit * 31 + 7);
  if (wish.how === 'cut') writeFileSync(path, bytes.subarray(0, at));
  else if (wish.how !== 'flip') writeFileSync(path, Buffer.concat([bytes, tail]));
  else if (bytes.byteLength > 0) {
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << wish.bit), at);
    writeFileSync(path, bytes);
  }
}

test('damage anywhere in any file never throws, never gives what was not appended, keeps the order', async (t) => {
  const template = temporaryFolder('spool');
  const made = await open(template);
  const appended = (await append(made, 40)).map((report) => JSON.stringify(report));
  await made.acknowledge(await made.peek({ reports: 3, bytes: 1 << 20 }));
  await made.close();
  const names = readdirSync(template).toSorted();
  t.true(names.length > 4 && names.includes('acknowledged'));
  const anyDamage = fc.record({
    file: fc.nat({ max: 100 }),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    how: fc.constantFrom('cut', 'flip', 'zero-tail', 'junk-tail'),
    bit: fc.nat({ max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyDamage, { minLength: 1, maxLength: 4 }),
      async (wishes) => {
        const directory = temporaryFolder('spool');
        cpSync(template, directory, { recursive: true });
        for (const wish of wishes) damage(directory, names, wish);
        const spool = await open(directory);
        const got = (await waitingIn(spool)).map((report) => JSON.stringify(report));
        const places = got.map((json) => appended.indexOf(json));
        const inOrder = places.every((place, i) => place > (places[i - 1] ?? -1));
        const [report] = await append(spool, 1);
        await spool.close();
        const again = await open(directory);
        const after = (await waitingIn(again)).map((each) => JSON.stringify(each));
        const { tornTails, damagedSegments } = again.counters();
        await again.close();
        rmSync(directory, { recursive: true });
        return (
          inOrder &&
          isEqual(after, [...got, JSON.stringify(report)]) &&
          // Cut off once, then whole.
          tornTails + damagedSegments === 0
        );
      },
    ),
    { numRuns: 300 },
  );
});

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

test('every cut of a last segment leaves the whole reports before it', async (t) => {
  const template = temporaryFolder('spool');
  const made = await open(template, 1 << 20);
  const appended = await append(made, 4);
  await made.close();
  const [name = ''] = readdirSync(template);
  const bytes = readFileSync(join(template, name));
  const record = bytes.byteLength / 4;
  for (let length = 0; length < bytes.byteLength; length += 13) {
    const directory = temporaryFolder('spool');
    writeFileSync(join(directory, name), bytes.subarray(0, length));
    const spool = await open(directory, 1 << 20);
    const whole = Math.floor(length / record);
    t.deepEqual(await waitingIn(spool), appended.slice(0, whole), `${length} bytes`);
    t.is(spool.counters().tornTails, length % record === 0 ? 0 : 1);
    t.is(spool.counters().damagedBytes, length % record);
    await spool.close();
    rmSync(directory, { recursive: true });
  }
});

test('a damaged position makes reports come again rather than never', async (t) => {
  const directory = temporaryFolder('spool');
  const spool = await open(directory);
  await append(spool, 9);
  await spool.acknowledge(await spool.peek({ reports: 4, bytes: 1 << 20 }));
  await spool.close();
  const path = join(directory, 'acknowledged');
  const digits = readFileSync(path, 'latin1');
  t.regex(digits, /^1 \d+ \d+\n$/);
  writeFileSync(path, digits.replace(/^1 ./, '1 9'));
  const again = await open(directory);
  t.deepEqual(sequencesOf(await waitingIn(again)), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await again.close();
});
