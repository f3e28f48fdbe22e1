// Spools under what happens to routers: a process that is killed, a disk that is full, a file system turned read-only.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { SpoolError } from '../../src/errors.ts';
import { Spool } from '../../src/report/spool.ts';
import { nextReport, sequencesOf, waitingIn } from '../helpers/reports.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const APPEND = fileURLToPath(new URL('../helpers/append-forever.js', import.meta.url));
const KILLS = 20;
const ALL = { reports: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

interface Killed {
  /** `boot sequence` of each append that had resolved. */
  readonly told: readonly string[];
}

/** Runs the program and kills it `afterMs` after it told its first append. */
async function appendUntilKilled(directory: string, afterMs: number): Promise<Killed> {
  const child = spawn(process.execPath, [APPEND, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const told: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    if (told.length === 0) setTimeout(() => child.kill('SIGKILL'), afterMs);
    told.push(line);
  });
  await Promise.all([once(lines, 'close'), once(child, 'exit')]);
  return { told };
}

test('what was appended outlives kill -9 at any moment, once each, in order', async (t) => {
  const directory = temporaryFolder('spool');
  let expected: string[] = [];
  let unfinished = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const { told } = await appendUntilKilled(directory, Math.random() * 60);
    t.true(told.length > 0);
    const spool = await Spool.open({ directory, maxBytes: 1 << 22 });
    const spooled = await spool.peek(ALL);
    const got = spooled.map(({ json }) => {
      const { boot, sequence } = JSON.parse(json) as { boot: string; sequence: number };
      return `${boot} ${sequence}`;
    });
    expected = [...expected, ...told];
    // The last append of each life may be on disk without having been told.
    const boot = told[0]?.split(' ')[0] ?? '';
    if (got.length > expected.length) expected.push(`${boot} ${told.length}`);
    t.deepEqual(got, expected);
    unfinished += spool.counters().tornTails;
    const half = Math.floor(spooled.length / 2);
    await spool.acknowledge(spooled.slice(0, half));
    expected = expected.slice(half);
    await spool.close();
  }
  t.log(
    `${KILLS} kills, ${unfinished} torn tails, ${expected.length} reports at the end`,
  );
});

test('a living process keeps its lock, a killed one does not', async (t) => {
  const directory = temporaryFolder('spool');
  const child = spawn(process.execPath, [APPEND, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.stdout.resume();
  const fault = await t.throwsAsync(Spool.open({ directory }), {
    instanceOf: SpoolError,
  });
  t.is(fault?.code, 'ERR_SPOOL_LOCKED');
  t.regex(fault?.message ?? '', new RegExp(`process ${child.pid},`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const spool = await Spool.open({ directory });
  t.true(spool.counters().waiting > 0);
  await spool.close();
});

/** A file system of its own of `bytes`. */
function mountTiny(bytes: number): string {
  const directory = temporaryFolder('spool');
  mount('-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', directory);
  return directory;
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

function unmount(directory: string): void {
  execFileSync('umount', [directory], { stdio: 'pipe' });
}

function mountObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  try {
    unmount(mountTiny(1 << 16));
    return undefined;
  } catch (fault) {
    return `no tmpfs can be mounted (${(fault as Error).message.split('\n')[0]})`;
  }
}

const obstacle = mountObstacle();
if (obstacle !== undefined) console.log(`skipped: full and read-only disks: ${obstacle}`);
const mountTest = obstacle === undefined ? test : test.skip;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (fault) {
    return fault instanceof SpoolError ? fault.code : String(fault);
  }
}

mountTest(
  'a full disk loses nothing that is spooled, and takes reports again once it has room',
  async (t) => {
    const disk = mountTiny(1 << 17);
    try {
      const directory = join(disk, 'spool');
      const ballast = join(disk, 'ballast');
      const spool = await Spool.open({ directory, maxBytes: 1 << 20 });
      const kept: number[] = [];
      const fill = async () => {
        for (;;) {
          const report = nextReport(spool, { classes: 10 });
          const code = await codeOf(spool.append(report));
          if (code !== 'none') return code;
          kept.push(report.sequence);
        }
      };
      for (let i = 0; i < 3; i++)
        await spool.append(nextReport(spool)).then(() => kept.push(i));
      writeFileSync(ballast, Buffer.alloc(1 << 15));
      t.is(await fill(), 'ERR_SPOOL_FULL');
      t.is(await codeOf(spool.append(nextReport(spool))), 'ERR_SPOOL_FULL');
      t.deepEqual(sequencesOf(await waitingIn(spool)), kept);
      // A position cannot be written either: it stays in memory.
      await spool.acknowledge(await spool.peek({ reports: 2, bytes: 1 << 20 }));
      t.is(spool.counters().unsavedPositions, 1);
      kept.splice(0, 2);
      rmSync(ballast);
      t.is(await fill(), 'ERR_SPOOL_FULL');
      t.deepEqual(sequencesOf(await waitingIn(spool)), kept);
      await spool.close();
      const again = await Spool.open({ directory, maxBytes: 1 << 20 });
      t.deepEqual(sequencesOf(await waitingIn(again)).slice(-kept.length), kept);
      t.is(again.counters().damagedBytes, 0);
      await again.acknowledge(await again.peek(ALL));
      await again.append(nextReport(again));
      await again.close();
    } finally {
      unmount(disk);
    }
  },
);

mountTest(
  'a read-only file system is told so, and the spool goes on once it can be written',
  async (t) => {
    const disk = mountTiny(1 << 20);
    try {
      const spool = await Spool.open({ directory: disk, maxBytes: 1 << 16 });
      // A file that is open for writing keeps a file system from turning: as if it had just been opened.
      await spool.append(nextReport(spool));
      await spool.close();
      mount('-o', 'remount,ro', disk);
      t.is(await codeOf(Spool.open({ directory: disk })), 'ERR_SPOOL_READ_ONLY');
      mount('-o', 'remount,rw', disk);
      const again = await Spool.open({ directory: disk, maxBytes: 1 << 16 });
      t.is(again.counters().waiting, 1);
      await again.acknowledge(await again.peek(ALL));
      await again.close();
      const third = await Spool.open({ directory: disk, maxBytes: 1 << 16 });
      mount('-o', 'remount,ro', disk);
      const fault = await t.throwsAsync(third.append(nextReport(third)), {
        instanceOf: SpoolError,
      });
      t.is(fault?.code, 'ERR_SPOOL_READ_ONLY');
      t.regex(fault?.message ?? '', /the file system is read-only, .* \(EROFS\)$/);
      mount('-o', 'remount,rw', disk);
      await third.append(nextReport(third));
      t.deepEqual(sequencesOf(await waitingIn(third)), [1]);
      await third.close();
    } finally {
      unmount(disk);
    }
  },
);
