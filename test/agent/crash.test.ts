// Agent and controller as processes of their own, killed at any moment: what was spooled arrives, all of it, once.
//
// Known of a window: its log line, which comes after the spool has its report. So of a killed agent the very last report
// alone may be in the spool without a line; one that was not yet in the spool has no line either, and is nowhere.
// SIGKILL leaves the system's page cache alone: what a power cut does is not seen here.

import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import Database from 'libsql';
import type { ClassCount, Report } from '../../src/report/report.ts';
import {
  decodePosition,
  type Position,
  readRecords,
  START,
  segmentNumber,
} from '../../src/report/segment.ts';
import type { WindowCounts } from '../../src/report/window-tally.ts';
import { Field, SITE, seeded, until } from '../helpers/field.ts';
import { jsonLines } from '../helpers/sluice.ts';
import type { Ended, Inside } from '../helpers/veth.ts';

const KILLS = 20;

interface Spooled {
  readonly report: Report;
  /** The controller is not known to have it. */
  readonly waits: boolean;
}

/** Every whole report of the folder in its order, read without touching anything. */
async function spooledIn(folder: string): Promise<Spooled[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const head: Position = names.includes('acknowledged')
    ? decodePosition(await readFile(join(folder, 'acknowledged'), 'latin1'))
    : START;
  const spooled: Spooled[] = [];
  for (const name of names.toSorted()) {
    const segment = segmentNumber(name);
    if (segment === undefined) continue;
    // A segment may be removed at any moment: nothing of it waits then.
    const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0));
    for (const { json, end } of readRecords(bytes)) {
      const waits =
        segment > head.segment || (segment === head.segment && end > head.offset);
      spooled.push({ report: JSON.parse(json) as Report, waits });
    }
  }
  return spooled;
}

async function waitingIn(folder: string): Promise<number> {
  return (await spooledIn(folder)).filter(({ waits }) => waits).length;
}

/** The windows that an agent has told of; a last line that the kill has cut is none. */
function windowsOf(stderr: string): WindowCounts[] {
  const whole = stderr.slice(0, stderr.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line.startsWith('{'));
  return jsonLines(lines.join('\n'))
    .filter(({ msg }) => msg === 'window')
    .map((line) => countsOf(line as unknown as WindowCounts));
}

function countsOf({ startMs, endMs, classes, drops, lost }: WindowCounts): WindowCounts {
  return { startMs, endMs, classes, drops, lost };
}

async function nextWindow(agent: Inside): Promise<void> {
  const before = windowsOf(agent.stderr).length;
  const { stderr } = agent.child;
  while (windowsOf(agent.stderr).length === before) {
    if (stderr === null || agent.child.exitCode !== null) {
      throw new Error(`no window came: ${agent.stderr}`);
    }
    await Promise.race([once(stderr, 'data'), agent.ended]);
  }
}

/** All that agents of one spool have spooled, in order, taken down after each end of one. */
class Book {
  readonly reports: Report[] = [];
  boots = 0;
  /** Reports whose line the kill came before. */
  untold = 0;
  readonly #keys = new Set<string>();

  /** Compares what an agent told of with what it left in the spool. */
  async enter(t: ExecutionContext, folder: string, ended: Ended): Promise<void> {
    const own = (await spooledIn(folder))
      .map(({ report }) => report)
      .filter((report) => !this.#keys.has(keyOf(report)));
    for (const report of own) this.#keys.add(keyOf(report));
    this.reports.push(...own);
    this.boots++;
    t.true(new Set(own.map(({ boot }) => boot)).size <= 1, 'one agent, one boot');
    t.deepEqual(
      own.map(({ sequence }) => sequence),
      own.map((_, i) => i),
      'no gap',
    );
    const told = windowsOf(ended.stderr);
    const untold = own.length - told.length;
    t.true(
      untold === 0 || (untold === 1 && ended.code === null),
      `${own.length} spooled, ${told.length} told, code ${ended.code}: ${ended.stderr}`,
    );
    t.deepEqual(told, own.slice(0, told.length).map(countsOf));
    this.untold += untold;
  }
}

function keyOf({ boot, sequence }: Pick<Report, 'boot' | 'sequence'>): string {
  return `${boot} ${sequence}`;
}

type Kept = WindowCounts & Pick<Report, 'boot' | 'sequence'>;

/** Every report of a database in the order in which they came in. */
function keptIn(file: string): Kept[] {
  const database = new Database(file, { readonly: true });
  try {
    const all = <Row>(sql: string, ...values: unknown[]): Row[] =>
      database.prepare(sql).all(...values) as Row[];
    const reports = all<{ id: number } & Omit<Kept, 'classes' | 'drops' | 'lost'>>(
      'SELECT id, boot, sequence, start_ms AS startMs, end_ms AS endMs FROM reports ORDER BY id',
    );
    return reports.map(({ id, boot, sequence, startMs, endMs }) => {
      const classes = all<ClassCount & { class: string }>(
        `SELECT class, flows, packets_up AS packetsUp, packets_down AS packetsDown, bytes_up AS bytesUp,
          bytes_down AS bytesDown FROM class_counts WHERE report = ?`,
        [id],
      ).map((row) => [row.class, countOf(row)] as const);
      const losses = all<{ kind: string; reason: string; count: number }>(
        'SELECT kind, reason, count FROM loss_counts WHERE report = ?',
        [id],
      );
      const lossesOf = (of: string) =>
        Object.fromEntries(
          losses
            .filter(({ kind }) => kind === of)
            .map(({ reason, count }) => [reason, count]),
        );
      return {
        boot,
        sequence,
        startMs,
        endMs,
        classes: Object.fromEntries(classes),
        drops: lossesOf('drop'),
        lost: lossesOf('lost'),
      };
    });
  } finally {
    database.close();
  }
}

function countOf(row: ClassCount): ClassCount {
  const { flows, packetsUp, packetsDown, bytesUp, bytesDown } = row;
  return { flows, packetsUp, packetsDown, bytesUp, bytesDown };
}

function sumOf(reports: readonly Report[]): Record<string, ClassCount> {
  const sums: Record<string, ClassCount> = {};
  for (const { classes } of reports) {
    for (const [name, count] of Object.entries(classes)) {
      const sum = sums[name];
      sums[name] =
        sum === undefined
          ? count
          : {
              flows: sum.flows + count.flows,
              packetsUp: sum.packetsUp + count.packetsUp,
              packetsDown: sum.packetsDown + count.packetsDown,
              bytesUp: sum.bytesUp + count.bytesUp,
              bytesDown: sum.bytesDown + count.bytesDown,
            };
    }
  }
  return sums;
}

function flowsOf(reports: readonly Report[]): number {
  return Object.values(sumOf(reports)).reduce((sum, { flows }) => sum + flows, 0);
}

/** What the running controller adds up, then what is in its file: both are the book's reports, each once, in order. */
async function check(
  t: ExecutionContext,
  field: Field,
  controller: Inside,
  { reports }: Book,
): Promise<void> {
  const to = Math.max(...reports.map(({ endMs }) => endMs));
  const from = Math.min(...reports.map(({ startMs }) => startMs));
  const query = `from=${from}&to=${to}&step=${to - from}`;
  const { totals } = (await field.get(`/v1/sites/${SITE}/classes?${query}`)) as {
    totals: Record<string, ClassCount>;
  };
  t.deepEqual(totals, sumOf(reports));
  const { sites } = (await field.get('/v1/sites')) as {
    sites: { name: string; reports: number; flows: number }[];
  };
  t.deepEqual(
    sites.map((site) => ({ name: site.name, reports: site.reports, flows: site.flows })),
    [{ name: SITE, reports: reports.length, flows: flowsOf(reports) }],
  );
  t.is((await controller.stop('SIGTERM')).code, 0);
  t.deepEqual(
    keptIn(field.database),
    reports.map(({ boot, sequence, ...counts }) => ({
      boot,
      sequence,
      ...countsOf(counts),
    })),
  );
}

test('agent and controller are killed 20 times, and each report arrives once', async (t) => {
  t.timeout(170_000);
  const began = performance.now();
  const seed = Number(
    process.env.SLUICE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31),
  );
  t.log(`seed ${seed} (SLUICE_TEST_SEED)`);
  const random = seeded(seed);
  const field = await Field.make(t, random);
  const book = new Book();
  let controller = field.controller();
  await field.answers();
  let agent = field.agent('real');
  let aimed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Half of them anywhere, start and recovery included; half when a report is being sent, kept or acknowledged.
    if (random() < 0.5) {
      await sleep(1_000 + random() * 1_000);
    } else {
      aimed++;
      await nextWindow(agent);
      await sleep(random() * 20);
    }
    if (kill % 2 === 0) {
      await controller.stop('SIGKILL');
      controller = field.controller();
    } else {
      const ended = await agent.stop('SIGKILL');
      t.is(ended.code, null, 'it was killed, and had not ended before');
      await book.enter(t, field.spool, ended);
      agent = field.agent('real');
    }
  }
  await field.answers();
  await nextWindow(agent);
  await until('the spool is empty', async () => (await waitingIn(field.spool)) === 0);
  const ended = await agent.stop('SIGTERM');
  t.is(ended.code, 0, ended.stderr);
  await book.enter(t, field.spool, ended);
  t.is(await waitingIn(field.spool), 0, ended.stderr);
  await check(t, field, controller, book);
  t.true(flowsOf(book.reports) > 0);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  t.log(
    `${KILLS} kills (${aimed} at a report), ${book.boots} boots, ${book.reports.length} reports` +
      ` (${book.untold} spooled but not told), ${flowsOf(book.reports)} flows, ${seconds} s`,
  );
});

test('reports wait while the controller is away, and arrive in order at a later start', async (t) => {
  t.timeout(170_000);
  const field = await Field.make(t, Math.random);
  const book = new Book();
  for (let run = 0; run < 2; run++) {
    const ended = await field.agent('max').ended;
    t.is(ended.code, 0, ended.stderr);
    await book.enter(t, field.spool, ended);
    const waiting = await waitingIn(field.spool);
    t.is(waiting, book.reports.length);
    const told = ended.stderr.split('\n').filter((line) => line.includes('next start'));
    t.is(told.length, 1, ended.stderr);
    t.regex(told[0] ?? '', new RegExp(`"${waiting} reports? waits? in ${field.spool} `));
  }
  const waited = book.reports.length;
  t.true(waited >= 2);
  const controller = field.controller();
  await field.answers();
  const ended = await field.agent('max').ended;
  t.is(ended.code, 0, ended.stderr);
  t.false(ended.stderr.includes('next start'), ended.stderr);
  await book.enter(t, field.spool, ended);
  t.is(await waitingIn(field.spool), 0);
  await check(t, field, controller, book);
  t.log(`${waited} reports waited, ${book.reports.length - waited} came with them`);
});
