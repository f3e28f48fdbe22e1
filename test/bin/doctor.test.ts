// `sluice doctor` as a user runs it; with root also in a network namespace of its own.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { jsonLines, ROOT, sluice, sluiceUnder } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const run = promisify(execFile);
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
const NO_BUNDLE = join(ROOT, 'no-such-bundle');
const CHECKS = [
  'kernel addon packet-socket packet-ring packet-filter vnet-header fanout ignore-outgoing',
  'memory-lock net-admin clock clock-synchronised clock-source memory model inference',
]
  .join(' ')
  .split(' ');
const INTERFACE_CHECKS = ['interface', 'mtu', 'receive-offloads', 'send-offloads'];

function skip(t: ExecutionContext, reason: string): void {
  t.log(`skipped: ${reason}`);
  t.pass();
}

test('a JSON line holds check, status, found, expected and mend', async (t) => {
  const { code, stdout } = await sluice(['doctor', '--json']);
  const lines = jsonLines(stdout);
  t.deepEqual(
    lines.map(({ check }) => check),
    CHECKS,
  );
  for (const line of lines) {
    t.deepEqual(Object.keys(line), ['check', 'status', 'found', 'expected', 'mend']);
    t.true(['ok', 'warn', 'fail'].includes(line.status as string));
    t.is(typeof line.found, 'string');
    t.is(typeof line.expected, 'string');
    if (line.status === 'ok') t.is(line.mend, null);
    if (line.status === 'fail') t.is(typeof line.mend, 'string');
  }
  t.is(code, lines.some(({ status }) => status === 'fail') ? 1 : 0);
});

test('a named interface is looked at, too', async (t) => {
  const { stdout } = await sluice(['doctor', '--json', '--interface', 'lo']);
  const checks = jsonLines(stdout).map(({ check }) => check);
  t.deepEqual(
    checks.filter((check) => !CHECKS.includes(check as string)),
    INTERFACE_CHECKS,
  );
});

test('an unknown interface is wrong input: one line, nothing on stdout', async (t) => {
  const outcome = await sluice(['doctor', '--interface', 'eth-none']);
  t.is(outcome.code, 2);
  t.is(outcome.stdout, '');
  t.regex(
    outcome.stderr,
    /^sluice: no interface "eth-none", expected one of [^\n]*\blo\b[^\n]*\n$/,
  );
});

test('an unknown option is wrong input', async (t) => {
  t.is((await sluice(['doctor', '--interfaces', 'lo'])).code, 2);
});

test('a missing bundle fails, and the inference waits for it', async (t) => {
  const { code, stdout } = await sluice(['doctor', '--json', '--bundle', NO_BUNDLE]);
  t.is(code, 1);
  const lines = jsonLines(stdout);
  const model = lines.find(({ check }) => check === 'model');
  t.is(model?.status, 'fail');
  t.regex(model?.found as string, /no such file or directory/);
  const inference = lines.find(({ check }) => check === 'inference');
  t.is(inference?.found, 'not tried: mend model first');
});

test('people get a table, the cure below what lacks, and a summary', async (t) => {
  const { stdout, stderr } = await sluice(['doctor', '--bundle', NO_BUNDLE]);
  t.regex(stdout, /^status {2}check {15}found\n/);
  t.regex(stdout, /\nok {6}addon {15}record layout \d+\n/);
  t.regex(
    stdout,
    /\nfail {4}model .*\n {10}expected .*\n {10}mend .*--bundle DIRECTORY\n/,
  );
  t.regex(stderr, /^sluice: 16 checks: \d+ ok, \d+ warnings?, \d+ failures?\n/);
});

test('warnings do not fail', async (t) => {
  if (process.getuid?.() !== 0) return skip(t, 'a packet socket takes root');
  if (!existsSync(BUNDLE)) return skip(t, 'there is no shipped bundle');
  const { code, stdout } = await sluice(['doctor', '--json', '--interface', 'lo']);
  const statuses = jsonLines(stdout).map(({ status }) => status);
  t.true(statuses.includes('warn'), 'the MTU of the loopback');
  t.false(statuses.includes('fail'), stdout);
  t.is(code, 0);
});

test('a model that computes something else fails the inference', async (t) => {
  if (!existsSync(BUNDLE)) return skip(t, 'there is no shipped bundle');
  const copy = temporaryFolder('doctor');
  await cp(BUNDLE, copy, { recursive: true });
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as {
    selfTest: { probabilities: number[] };
  };
  manifest.selfTest.probabilities = manifest.selfTest.probabilities.map((p) => 1 - p / 2);
  await writeFile(path, JSON.stringify(manifest));
  const { code, stdout } = await sluice(['doctor', '--json', '--bundle', copy]);
  t.is(code, 1);
  const lines = jsonLines(stdout);
  t.is(lines.find(({ check }) => check === 'model')?.status, 'ok');
  const inference = lines.find(({ check }) => check === 'inference');
  t.is(inference?.status, 'fail');
  t.regex(inference?.found as string, /self-test/);
});

test('without capabilities the packet socket fails and says which one lacks', async (t) => {
  // Root without capabilities: unlike another user it may still read the checkout.
  const root = process.getuid?.() === 0;
  const runner = root ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
  const [command = 'true', ...options] = runner;
  const drops = await run(command, [...options, 'true']).catch((fault: Error) => fault);
  if (drops instanceof Error) return skip(t, drops.message);
  const { code, stdout } = await sluiceUnder(runner, ['doctor', '--json']);
  t.is(code, 1);
  const lines = jsonLines(stdout);
  const socket = lines.find(({ check }) => check === 'packet-socket');
  t.is(socket?.status, 'fail');
  t.regex(socket?.found as string, /EPERM.*no CAP_NET_RAW/);
  const ring = lines.find(({ check }) => check === 'packet-ring');
  t.is(ring?.found, 'not tried: mend packet-socket first');
});

test('in a namespace: down, up, and GRO on and off are seen', async (t) => {
  if (process.getuid?.() !== 0) return skip(t, 'a network namespace takes root');
  const space = `sluice-doctor-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', space]);
  } catch (fault) {
    return skip(t, `no network namespace can be made: ${(fault as Error).message}`);
  }
  t.teardown(() => run('ip', ['netns', 'delete', space]));
  const ip = (...args: string[]) => run('ip', ['-n', space, ...args]);
  const inside = ['ip', 'netns', 'exec', space];
  await ip('link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');

  const look = async (check: string): Promise<Record<string, unknown> | undefined> => {
    const args = ['doctor', '--json', '--interface', 'near', '--bundle', NO_BUNDLE];
    const { stdout, stderr } = await sluiceUnder(inside, args);
    const lines = jsonLines(stdout);
    t.is(lines.length, CHECKS.length + INTERFACE_CHECKS.length, stderr);
    t.is(lines.find((line) => line.check === 'packet-ring')?.status, 'ok');
    return lines.find((line) => line.check === check);
  };
  const down = await look('interface');
  t.is(down?.status, 'fail');
  t.is(down?.mend, 'ip link set near up');
  await ip('link', 'set', 'near', 'up');
  t.is((await look('interface'))?.found, 'near has no carrier');
  await ip('link', 'set', 'far', 'up');
  t.is((await look('interface'))?.status, 'ok');

  const { stderr } = await sluiceUnder(inside, ['doctor', '--interface', 'eth-none']);
  t.regex(stderr, /expected one of [^\n]*\bnear\b/);

  const ethtool = (state: 'on' | 'off') =>
    run('ip', ['netns', 'exec', space, 'ethtool', '-K', 'near', 'gro', state]);
  try {
    await ethtool('on');
  } catch (fault) {
    return t.log(`GRO not tried: ${(fault as Error).message}`);
  }
  const merged = await look('receive-offloads');
  t.is(merged?.status, 'warn');
  t.is(merged?.mend, 'ethtool -K near gro off');
  await ethtool('off');
  t.is((await look('receive-offloads'))?.status, 'ok');
});
