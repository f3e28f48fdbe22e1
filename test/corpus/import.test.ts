// Public sets of flows that nobody here generated. They are no part of the repository: without them these tests are skipped.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import { ROOT, startSluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const CORPUS = join(ROOT, '../shared/corpus');
const present = existsSync(join(CORPUS, 'series'));
if (!present) console.log(`skipped: no public sets at ${CORPUS}`);
const corpusTest = present ? test.serial : test.serial.skip;

interface Expected {
  readonly flows: number;
  readonly services: number;
  readonly applications: number;
  /** Flows that are TCP as their packets show; of each application where it is the point. */
  readonly tcp: number;
  /** Of these, flows whose shortest packet is a bare acknowledgement over IPv6. */
  readonly tcpOverIpv6?: number;
  readonly tcpBy?: Readonly<Record<string, string>>;
  readonly sizes: readonly [least: number, most: number];
}

/** Headers of IPv6 and TCP. */
const IPV6_ACK_BYTES = 60;

const COLUMNS = [
  'service',
  'application',
  'protocol',
  'ipLengths',
  'payloadLengths',
  'timesNs',
] as const;

const imported = test.macro({
  title: (_, format: string, path: string) =>
    `${path} as ${format}: every flow, with sane sizes and a service`,
  async exec(t, format: string, path: string, expected: Expected) {
    t.timeout(900_000);
    const out = temporaryFolder('corpus-import');
    const args = ['dataset', 'import', format, join(CORPUS, path), '-o', out];
    const done = await startSluice(args).ended;
    t.is(done.code, 0, done.stderr);
    t.is((await readManifest(out)).rows, expected.flows);
    const [services, applications] = [new Set<string>(), new Set<string | null>()];
    let [least, most, tcpOverIpv6] = [65_535, 0, 0];
    const flows = new Map<string, { tcp: number; all: number }>();
    for await (const row of readDataset(out, { columns: COLUMNS })) {
      const { service, application, protocol, timesNs } = row;
      if (service === null) t.fail(`${application} has no service`);
      else services.add(service);
      applications.add(application);
      const counts = flows.get(application ?? '') ?? { tcp: 0, all: 0 };
      flows.set(application ?? '', counts);
      counts.all++;
      if (protocol === 'tcp') counts.tcp++;
      const bytes = row.ipLengths ?? row.payloadLengths ?? new Uint8Array(0);
      const sizes = new Uint16Array(new Uint8Array(bytes).buffer);
      if (sizes.length * 8 !== timesNs.byteLength) t.fail('a packet without its time');
      const shortest = sizes.reduce((a, b) => Math.min(a, b), 65_535);
      if (protocol === 'tcp' && shortest === IPV6_ACK_BYTES) tcpOverIpv6++;
      least = Math.min(least, shortest);
      most = sizes.reduce((a, b) => Math.max(a, b), most);
    }
    t.deepEqual([least, most], [...expected.sizes]);
    t.is(services.size, expected.services);
    t.is(applications.size, expected.applications);
    const tcp = [...flows.values()].reduce((sum, counts) => sum + counts.tcp, 0);
    t.is(tcp, expected.tcp);
    if (expected.tcpOverIpv6 !== undefined) t.is(tcpOverIpv6, expected.tcpOverIpv6);
    for (const [application, text] of Object.entries(expected.tcpBy ?? {})) {
      const counts = flows.get(application);
      t.is(`${counts?.tcp} of ${counts?.all}`, text, application);
    }
  },
});

corpusTest(imported, 'series-jsonl', 'series/fgnet-d1.jsonl.gz', {
  flows: 60_684,
  services: 6,
  applications: 50,
  tcp: 60_684,
  sizes: [1, 65_479],
});
// More than a third of it is TCP over IPv6, and nearly all of Google Search (docs/import.md).
corpusTest(imported, 'series-jsonl', 'series/ucdavis-quic.jsonl.gz', {
  flows: 5_141,
  services: 4,
  applications: 5,
  tcp: 1_850,
  tcpOverIpv6: 1_824,
  tcpBy: {
    'google-search': '1544 of 1544',
    'google-docs': '108 of 979',
    'google-drive': '144 of 1301',
    'google-music': '7 of 462',
    youtube: '47 of 855',
  },
  sizes: [40, 1_472],
});
corpusTest(imported, 'series-jsonl', 'series/requet-youtube.jsonl.gz', {
  flows: 873,
  services: 1,
  applications: 1,
  tcp: 39,
  sizes: [30, 1_500],
});
corpusTest(imported, 'series-jsonl', 'series/video-2025.jsonl.gz', {
  flows: 1_578,
  services: 1,
  applications: 2,
  tcp: 980,
  sizes: [40, 2_070],
});
corpusTest(imported, 'ucdavis-txt', 'ucdavis-quic', {
  flows: 115,
  services: 4,
  applications: 5,
  tcp: 25,
  tcpBy: { 'google-search': '15 of 15' },
  sizes: [40, 1_470],
});
