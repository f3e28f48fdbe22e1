// A build that is ended in the middle goes on where it was: same bytes, nothing lost, nothing twice.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { build, DEMO, LAB, sameContent } from '../helpers/dataset-build.ts';
import { until } from '../helpers/field.ts';
import { startSluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const CAPTURES = 17;

const shardsIn = async (out: string): Promise<string[]> =>
  (await readdir(join(out, 'shards')).catch(() => [])).filter((n) =>
    n.endsWith('.parquet'),
  );

/** Ends a build by `signal` once some shards stand; how many stood, and what it said. */
async function endInTheMiddle(t: ExecutionContext, out: string, signal: NodeJS.Signals) {
  const program = startSluice([
    'dataset',
    'build',
    LAB,
    DEMO,
    '--out',
    out,
    '--workers',
    '2',
  ]);
  t.teardown(() => program.stop('SIGKILL'));
  await until('some shards stand', async () => (await shardsIn(out)).length >= 3);
  const { code, stderr } = await program.stop(signal);
  return { code, stderr, standing: (await shardsIn(out)).length };
}

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  test.serial(`a build that ${signal} ended goes on to the same bytes`, async (t) => {
    t.timeout(600_000);
    const folder = temporaryFolder('build');
    const [out, whole] = [join(folder, 'out'), join(folder, 'whole')];
    const { code, stderr, standing } = await endInTheMiddle(t, out, signal);
    t.true(standing >= 3 && standing < CAPTURES, `${standing} shards stood`);
    if (signal !== 'SIGKILL') {
      t.is(code, 130);
      t.regex(stderr, /stopped; what is built stands in .*the same command goes on/);
      const left = await readdir(join(out, 'shards'));
      t.true(
        left.every((name) => name.endsWith('.parquet')),
        left.join(),
      );
    }
    const { built, kept } = await build(t, out, LAB, DEMO);
    t.is(kept, standing);
    t.is(built, CAPTURES - standing);
    await build(t, whole, LAB, DEMO);
    await sameContent(t, out, whole);
  });
}
