// Real captures that nobody here generated. They are no part of the repository: without them these tests are skipped.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ROOT, sluice } from '../helpers/sluice.ts';

const CAPTURES = join(ROOT, '../shared/corpus/captures');
const present = existsSync(CAPTURES);
if (!present) console.log(`skipped: no real captures at ${CAPTURES}`);
const corpusTest = present ? test : test.skip;

function captureFiles(): string[] {
  return readdirSync(CAPTURES).filter((name) => name !== 'flows.tsv');
}

/** Runs `work` over all items, two at a time. */
async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift())
      await work(item);
  };
  await Promise.all([worker(), worker()]);
}

corpusTest('replay ends with 0 or 2 on every real capture', async (t) => {
  t.timeout(300_000);
  const outcomes: Record<string, number> = {};
  await each(captureFiles(), async (file) => {
    const { code, stderr } = await sluice(['replay', '--json', join(CAPTURES, file)]);
    t.true(code === 0 || code === 2, `${file}: exit code ${code}\n${stderr}`);
    t.notRegex(stderr, /\n\s+at /, `${file}: a stack trace`);
    outcomes[String(code)] = (outcomes[String(code)] ?? 0) + 1;
  });
  t.log(`exit codes: ${JSON.stringify(outcomes)}`);
});
