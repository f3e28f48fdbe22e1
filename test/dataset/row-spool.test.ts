// What is spooled comes back, in any order, whether it went to disk or not; and leaves no file.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { RowSpool } from '../../src/dataset/row-spool.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

test('things of all sizes come back in any order, and no file is left', async (t) => {
  const folder = temporaryFolder('spool');
  const spool = new RowSpool<{ n: number; bytes: Uint8Array }>(join(folder, 'spool'));
  // Below the buffer, over it, and many that fill it again and again.
  const sizes = [0, 10, 9_000_000, ...Array.from({ length: 300 }, (_, i) => i * 400)];
  const things = sizes.map((size, n) => ({ n, bytes: new Uint8Array(size).fill(n) }));
  const places = things.map((thing) => spool.add(thing));
  t.deepEqual(await readdir(folder), []);
  for (const [i, place] of [...places.entries()].reverse()) {
    const { n, bytes } = spool.get(place);
    t.is(n, i);
    t.true(Buffer.from(bytes).equals(things[i]?.bytes ?? new Uint8Array()));
  }
  spool.close();
});

test('a spool that cannot be written says so', (t) => {
  const spool = new RowSpool<Uint8Array>('/nowhere/spool');
  t.throws(() => spool.add(new Uint8Array(9_000_000)), {
    code: 'ERR_OUTPUT',
    message: /\/nowhere\/spool cannot be written/,
  });
});
