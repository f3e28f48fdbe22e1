// `sluice export` as a user runs it: a child of its own, whose exit code and signals are those of the command.

import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { sluice, startSluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const folder = temporaryFolder('export');

test('help and faults of the exporter are those of the command', async (t) => {
  t.timeout(120_000);
  const help = await sluice(['export', '--help']);
  t.is(help.code, 0);
  t.regex(help.stdout, /usage: sluice export/);
  for (const [args, message] of [
    [['--nonsense'], /Unknown option '--nonsense'/],
    [
      ['--run', join(folder, 'none')],
      /none\/run\.json cannot be read \(ENOENT\); expected a run that/,
    ],
    [['--range', 'best'], /expected squared-error/],
    [['--layers', join(folder, 'none')], /cannot be read \(ENOENT\)/],
  ] as const) {
    const { code, stderr } = await sluice(['export', ...args]);
    t.is(code, 2, stderr);
    t.regex(stderr, message);
    t.is(
      stderr
        .trim()
        .split('\n')
        .filter((line) => !line.includes('reading')).length,
      1,
    );
  }
});

test('a signal reaches the exporter, and the exit code tells of it', async (t) => {
  t.timeout(120_000);
  // A pipe that nobody writes to keeps the exporter waiting for its run.
  await mkdir(join(folder, 'waiting'));
  execFileSync('mkfifo', [join(folder, 'waiting/run.json')]);
  const program = startSluice(['export', '--run', join(folder, 'waiting')]);
  await program.said('reading');
  program.child.kill('SIGTERM');
  t.is((await program.ended).code, 128 + 15);
});
