// A controller that is killed, or has no room: what it acknowledged is there, and each report counts once.

import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { databaseFile, openDataFolder } from '../../src/controller/data-folder.ts';
import type { Report } from '../../src/report/report.ts';
import {
  type Answer,
  Client,
  enrolIn,
  report,
  startProcess,
} from '../helpers/controller.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const REQUESTS = 60;
const REPORTS = 10;
const KILLS = 5;
const CONNECTIONS = 4;

/** Each report once: in the list of sites, in the sums, and in the file. */
async function assertOnce(
  t: ExecutionContext,
  folder: string,
  reports: readonly Report[],
): Promise<void> {
  const storage = openDataFolder(folder);
  const [site] = await storage.sites();
  const flows = reports.length * 6;
  t.is(site?.reports, reports.length);
  t.is(site?.flows, flows);
  const window = { fromMs: 0, toMs: 4_000_000_000_000, stepMs: 4_000_000_000_000 };
  const rows = await storage.classRows('edge-1', window);
  t.is(
    rows.reduce((sum, row) => sum + row.flows, 0),
    flows,
  );
  const again = await storage.addReports('edge-1', reports, Date.now());
  t.deepEqual(again, { accepted: 0, duplicates: reports.length });
  await storage.close();
}

/** Undefined when the connection broke. */
async function send(
  client: Client,
  reports: readonly Report[],
): Promise<Answer | undefined> {
  try {
    return await client.reports(reports);
  } catch {
    return undefined;
  }
}

/** Sends from several connections until all is acknowledged or the process is gone. */
async function sendAll(
  client: Client,
  waiting: Report[][],
  onAnswer: () => void,
): Promise<void> {
  const sender = async (): Promise<void> => {
    for (;;) {
      const reports = waiting.shift();
      if (reports === undefined) return;
      const answer = await send(client, reports);
      if (answer?.status !== 200) {
        waiting.unshift(reports);
        return;
      }
      onAnswer();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
}

test('killed under load and sent again, five times: each report is there exactly once', async (t) => {
  const folder = temporaryFolder('controller');
  const token = await enrolIn(folder, 'edge-1');
  const all = Array.from({ length: REQUESTS }, (_, i) =>
    Array.from({ length: REPORTS }, (_, j) => report('edge-1', i * REPORTS + j)),
  );
  const waiting = [...all];
  let kills = 0;
  for (;;) {
    const controller = await startProcess(['--data', folder, '--listen', '127.0.0.1:0']);
    let answers = 0;
    let isEnded: Promise<unknown> | undefined;
    await sendAll(new Client(controller.url, token), waiting, () => {
      answers++;
      // Others are under way: killed before, within or after their commit, as it comes.
      if (answers === 8 && kills < KILLS) isEnded ??= controller.end('SIGKILL');
    });
    if (isEnded === undefined) {
      t.is(await controller.end('SIGTERM'), 0);
      break;
    }
    t.is(await isEnded, 'SIGKILL');
    kills++;
  }
  t.is(kills, KILLS);
  t.is(waiting.length, 0);
  await assertOnce(t, folder, all.flat());
});

test('ended by SIGTERM under load: requests that are under way are answered', async (t) => {
  const folder = temporaryFolder('controller');
  const token = await enrolIn(folder, 'edge-1');
  const controller = await startProcess(['--data', folder, '--listen', '127.0.0.1:0']);
  const all = Array.from({ length: 40 }, (_, i) => [report('edge-1', i)]);
  const acknowledged: Report[] = [];
  const client = new Client(controller.url, token);
  let isEnded: Promise<unknown> | undefined;
  const sender = async (): Promise<void> => {
    for (let reports = all.shift(); reports !== undefined; reports = all.shift()) {
      const answer = await send(client, reports);
      if (answer?.status !== 200) return;
      acknowledged.push(...reports);
      if (acknowledged.length >= 10) isEnded ??= controller.end('SIGTERM');
    }
  };
  await Promise.all([sender(), sender()]);
  t.is(await isEnded, 0);
  t.true(acknowledged.length >= 10);
  await assertOnce(t, folder, acknowledged);
});

/** Sends until a request is refused; what was acknowledged before. */
async function fill(
  client: Client,
): Promise<{ readonly refused: Answer | undefined; readonly kept: Report[] }> {
  const kept: Report[] = [];
  for (let i = 0; i < 2000; i++) {
    const reports = Array.from({ length: 50 }, (_, j) => report('edge-1', i * 50 + j));
    const answer = await client.reports(reports);
    if (answer.status !== 200) return { refused: answer, kept };
    kept.push(...reports);
  }
  return { refused: undefined, kept };
}

test('a file that may not grow: refused whole, and taken after a restart with room', async (t) => {
  const folder = temporaryFolder('controller');
  const token = await enrolIn(folder, 'edge-1');
  // Blocks of 512 bytes a file.
  const limited = await startProcess(
    ['--data', folder, '--listen', '127.0.0.1:0', '--log-level', 'silent'],
    'ulimit -f 1200;',
  );
  const client = new Client(limited.url, token);
  const { refused, kept } = await fill(client);
  t.is(refused?.status, 503);
  t.like(refused?.json, {
    title: 'Service Unavailable',
    detail: 'the database cannot be used; nothing was kept, try again later',
  });
  t.is((await client.get('/healthz')).status, 200, 'what is there can be read');
  t.is(await limited.end('SIGTERM'), 0);
  await assertOnce(t, folder, kept);
});

test('a full disk: 507 and nothing half-written, and it goes on when there is room', async (t) => {
  const folder = temporaryFolder('controller');
  const disk = join(folder, 'disk');
  await mkdir(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], {
      stdio: 'ignore',
    });
  } catch {
    t.log('skipped: a small file system cannot be mounted here (needs root)');
    t.pass();
    return;
  }
  try {
    const token = await enrolIn(disk, 'edge-1');
    const controller = await startProcess([
      ...['--data', disk, '--listen', '127.0.0.1:0', '--log-level', 'silent'],
    ]);
    const client = new Client(controller.url, token);
    const { refused, kept } = await fill(client);
    t.is(refused?.status, 507);
    t.like(refused?.json, { detail: 'no room for reports; nothing was kept' });
    execFileSync('mount', ['-o', 'remount,size=8m', disk]);
    const more = Array.from({ length: 50 }, (_, i) => report('edge-1', kept.length + i));
    t.deepEqual((await client.reports(more)).json, { accepted: 50, duplicates: 0 });
    t.is(await controller.end('SIGTERM'), 0);
    await assertOnce(t, disk, [...kept, ...more]);
    t.true(databaseFile(disk).startsWith(disk));
  } finally {
    // Lazily: the driver lets go of files only when its statements are collected.
    execFileSync('umount', ['-l', disk]);
  }
});
