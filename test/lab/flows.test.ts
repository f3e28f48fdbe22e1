// The data set of the lab that is in the repository: whole, and as its card says.

import test from 'ava';
import { SERVICES } from '../../models/labels.ts';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { readDataset, verifyDataset } from '../../src/dataset/dataset-reader.ts';
import { openSplit, PARTS, partOf, readSplit } from '../../src/dataset/split-file.ts';
import { SPLIT_COLUMNS } from '../../src/dataset/split-groups.ts';

const DIRECTORY = 'lab/flows';
const SPLITS = [
  'capture',
  'seed',
  'profile',
  'clientSoftware',
  'host',
  'serverSoftware',
] as const;

test('every shard has the hash of the manifest', async (t) => {
  await t.notThrowsAsync(verifyDataset(DIRECTORY, await readManifest(DIRECTORY)));
});

test('every service has 300 flows and more, of TLS and of QUIC, all of ten packets or more', async (t) => {
  const counts = new Map<string, number>();
  const columns = ['service', 'kind', 'packetsUp', 'packetsDown'] as const;
  for await (const row of readDataset(DIRECTORY, { columns })) {
    t.true(row.packetsUp + row.packetsDown >= 10);
    for (const key of [`${row.service}`, `${row.service} ${row.kind}`]) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  for (const service of SERVICES) {
    t.true((counts.get(service) ?? 0) >= 300, service);
    t.true((counts.get(`${service} tls`) ?? 0) >= 100, `${service} over TLS`);
    t.true((counts.get(`${service} quic`) ?? 0) >= 100, `${service} over QUIC`);
  }
});

for (const name of SPLITS) {
  test(`split ${name}: every part has flows of every service, no session is in two`, async (t) => {
    const { contentSha256 } = await readManifest(DIRECTORY);
    const split = openSplit(await readSplit(DIRECTORY, name, contentSha256));
    const seen = new Set<string>();
    const places = new Map<string, string>();
    for await (const row of readDataset(DIRECTORY, { columns: SPLIT_COLUMNS })) {
      const part = partOf(split, row);
      if (part === undefined) continue;
      seen.add(`${part} ${row.service}`);
      t.is(places.get(row.session) ?? part, part);
      places.set(row.session, part);
    }
    t.is(seen.size, PARTS.length * SERVICES.length);
  });
}
