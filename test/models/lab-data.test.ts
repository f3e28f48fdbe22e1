import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { HYPER_PARAMETERS } from '../../models/hyper-parameters.ts';
import { readLabData, splitByCapture } from '../../models/lab-data.ts';
import { SERVICES } from '../../models/labels.ts';
import { featureSpec } from '../../models/prepared-data.ts';
import { CLIENT, SERVER, SERVER_PORT, type TcpFlow, tcpCapture } from './tcp-frames.ts';

const OPTIONS = { spec: featureSpec(HYPER_PARAMETERS), cuts: [3, 5] };

let directory = '';
test.beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-lab-data-'));
});
test.afterEach.always(() => rm(directory, { recursive: true, force: true }));

function labelOf({ clientPort, startSeconds }: TcpFlow, service: string) {
  const startUs = startSeconds * 1e6;
  return {
    client: CLIENT,
    clientPort,
    server: SERVER,
    serverPort: SERVER_PORT,
    startUs,
    service,
    session: `session ${clientPort}`,
  };
}

async function writeCapture(
  name: string,
  flows: readonly TcpFlow[],
  labels: readonly object[],
): Promise<void> {
  await writeFile(join(directory, `${name}.pcap.gz`), gzipSync(tcpCapture(flows)));
  const lines = labels.map((label) => `${JSON.stringify(label)}\n`);
  await writeFile(join(directory, `${name}.labels.jsonl`), lines.join(''));
}

const FIRST: TcpFlow = { clientPort: 40_000, startSeconds: 100, payloads: [100, -500] };
const SECOND: TcpFlow = {
  clientPort: 40_001,
  startSeconds: 101,
  payloads: [200, -1000, -1000, 50],
};

test.serial('each labelled flow is found, the others are left out', async (t) => {
  const stranger = { ...FIRST, clientPort: 40_002 };
  const missing = { ...FIRST, clientPort: 40_003 };
  await writeCapture(
    'a',
    [FIRST, SECOND, stranger],
    [labelOf(FIRST, 'chat'), labelOf(SECOND, 'web'), labelOf(missing, 'mail')],
  );
  const { captures } = await readLabData(directory, OPTIONS);
  const [capture] = captures;
  t.is(capture?.unmatched, 1);
  const flows = [...(capture?.flows ?? [])].sort((a, b) => a.packets - b.packets);
  t.deepEqual(
    flows.map(({ service, session, packets }) => [SERVICES[service], session, packets]),
    [
      ['chat', 'session 40000', 5],
      ['web', 'session 40001', 7],
    ],
  );
});

test.serial('two flows on one five-tuple are told apart by their time', async (t) => {
  const later = { ...FIRST, startSeconds: 160, payloads: [1, -2, 3] };
  await writeCapture(
    'a',
    [FIRST, later],
    [labelOf(later, 'games'), labelOf(FIRST, 'chat')],
  );
  const { captures } = await readLabData(directory, OPTIONS);
  const found = captures[0]?.flows.map(({ service, packets }) => [
    SERVICES[service],
    packets,
  ]);
  t.deepEqual(found, [
    ['chat', 5],
    ['games', 6],
  ]);
});

test.serial('a flow is also shown as it looks after few packets', async (t) => {
  await writeCapture(
    'a',
    [FIRST, SECOND],
    [labelOf(FIRST, 'chat'), labelOf(SECOND, 'web')],
  );
  const { captures } = await readLabData(directory, OPTIONS);
  const flows = [...(captures[0]?.flows ?? [])].sort((a, b) => a.packets - b.packets);
  t.deepEqual(
    flows.map(({ cuts }) => [...cuts.keys()]),
    [[3], [3, 5]],
  );
  const cut = flows[1]?.cuts.get(3);
  const directions = (series: Float32Array | undefined) =>
    Array.from({ length: 7 }, (_, i) => series?.[i * 3 + 2]);
  t.deepEqual(directions(cut?.series), [1, -1, 1, 0, 0, 0, 0]);
  t.deepEqual(directions(flows[1]?.features.series), [1, -1, 1, -1, -1, 1, 1]);
});

test.serial('the hash of a data set changes with any of its files', async (t) => {
  await writeCapture('a', [FIRST], [labelOf(FIRST, 'chat')]);
  const before = await readLabData(directory, OPTIONS);
  const again = await readLabData(directory, OPTIONS);
  await writeCapture('a', [FIRST], [labelOf(FIRST, 'mail')]);
  const after = await readLabData(directory, OPTIONS);
  t.is(before.sha256, again.sha256);
  t.not(before.sha256, after.sha256);
});

test.serial('a service that no class stands for is refused by line', async (t) => {
  await writeCapture('a', [FIRST], [labelOf(FIRST, 'chat'), labelOf(SECOND, 'gaming')]);
  await t.throwsAsync(readLabData(directory, OPTIONS), {
    message: /a\.labels\.jsonl line 2: service "gaming", expected one of chat, /,
  });
});

test.serial('a directory without captures is refused', async (t) => {
  await t.throwsAsync(readLabData(directory, OPTIONS), {
    message: /holds no \*\.pcap\.gz/,
  });
});

test('whole captures are split in the order of time', (t) => {
  const captures = '123456789a'.split('').map((name) => ({
    name,
    flows: [],
    unmatched: 0,
  }));
  const names = (count: number) => {
    const { train, validation, test: tests } = splitByCapture(captures.slice(0, count));
    return [train, validation, tests].map((part) =>
      part.map(({ name }) => name).join(''),
    );
  };
  t.deepEqual(names(3), ['1', '2', '3']);
  t.deepEqual(names(10), ['123456', '78', '9a']);
  t.throws(() => splitByCapture(captures.slice(0, 2)), {
    message: /at least 3 captures/,
  });
});
