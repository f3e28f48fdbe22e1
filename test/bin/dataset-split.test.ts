// `sluice dataset split` and `report` as a user runs them, on a data set that was built of a capture. One after the other: a process a
// test at once would be too much for a small machine.

import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
const folder = temporaryFolder('split-cli');
const data = join(folder, 'data');

test.before(async () => {
  await sluice(['dataset', 'build', DEMO, '--out', data]);
});

const split = (...args: readonly string[]) => sluice(['dataset', 'split', data, ...args]);

/** Lines but those that say how far the reading is, on a slow machine. */
const faults = (stderr: string): string[] =>
  stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('sluice: read '));

test.serial('a split is written, and told as a table that adds up', async (t) => {
  const { code, stdout, stderr } = await split('--by', 'session', '--name', 'table');
  t.is(code, 0, stderr);
  t.regex(stdout, /^service +train +validation +test +all +dropped$/m);
  const sums = /^\(flows\) +(\d+) +(\d+) +(\d+) +(\d+) +\d+$/m
    .exec(stdout)
    ?.slice(1)
    .map(Number);
  const [train = 0, validation = 0, judges = 0, all = 0] = sums ?? [];
  t.is(train + validation + judges, all);
  t.true(train > judges && judges > 0);
  t.regex(stderr, /splits\/table\.json written$/m);
  t.deepEqual(
    (await readdir(join(data, 'splits'))).filter((f) => f.includes('partial')),
    [],
  );
});

test.serial('--json tells the same in one object', async (t) => {
  const { code, stdout } = await split(
    '--by',
    'session',
    '--json',
    '--name',
    'json',
    '--seed',
    '7',
  );
  t.is(code, 0);
  const [summary, ...more] = jsonLines(stdout);
  t.deepEqual(more, []);
  const file = JSON.parse(await readFile(join(data, 'splits/json.json'), 'utf8'));
  const parts = summary?.parts as { classes: object }[];
  t.deepEqual(
    parts.map(({ classes }) => classes),
    file.classes,
  );
  t.is(file.seed, 7);
});

test.serial('a report reads the split, and writes JSON and a page', async (t) => {
  await split('--by', 'session', '--folds', '3', '--name', 'folds');
  const { code, stdout, stderr } = await sluice([
    'dataset',
    'report',
    data,
    '--split',
    'folds',
    '--json',
  ]);
  t.is(code, 0, stderr);
  const [report] = jsonLines(stdout);
  t.deepEqual(report, JSON.parse(await readFile(join(data, 'report.json'), 'utf8')));
  t.deepEqual(report?.split, { name: 'folds', by: 'session', seed: 1, folds: 3 });
  t.regex(
    await readFile(join(data, 'report.html'), 'utf8'),
    /^<!doctype html>.+<\/html>\n$/s,
  );
  const words = await sluice(['dataset', 'report', data]);
  t.is(words.code, 0);
  t.regex(words.stdout, /^field alone +by +balanced/);
  t.regex(words.stderr, /ceiling of sizes and directions: [\d.]+% at 3, /);
});

test.serial('--test makes the named groups judge', async (t) => {
  const all = await split('--by', 'clientSoftware', '--json');
  t.is(all.code, 0, all.stderr);
  const file = JSON.parse(
    await readFile(join(data, 'splits/clientSoftware.json'), 'utf8'),
  );
  const [name] = file.parts.train;
  await split('--by', 'clientSoftware', '--test', name);
  const path = join(data, 'splits/clientSoftware-held-out.json');
  t.true(JSON.parse(await readFile(path, 'utf8')).parts.test.includes(name));
});

const WRONG: readonly [title: string, args: readonly string[], message: RegExp][] = [
  ['no field', [], /required option '--by <field>'/],
  [
    'a field that there is not',
    ['--by', 'colour'],
    /Allowed choices are capture, client,/,
  ],
  ['parts that do not add up', ['--by', 'host', '--parts', '70/20/15'], /add up to 100/],
  [
    'parts without a test',
    ['--by', 'host', '--parts', '80/20/0'],
    /only the middle one may be 0/,
  ],
  [
    'a name that leaves the folder',
    ['--by', 'host', '--name', '../x'],
    /Expected up to 64 letters/,
  ],
  ['one fold', ['--by', 'host', '--folds', '1'], /from 2 to 100/],
  [
    'folds and parts',
    ['--by', 'host', '--folds', '3', '--parts', '70/15/15'],
    /without --parts/,
  ],
  ['folds of time', ['--by', 'time', '--folds', '3'], /trains on what was first/],
  [
    'a value that there is not',
    ['--by', 'clientSoftware', '--test', 'no'],
    /has the clientSoftware no; there are /,
  ],
  [
    'a field that no row knows',
    ['--by', 'serverSoftware'],
    /no labelled row has a value of serverSoftware/,
  ],
  ['one capture only', ['--by', 'capture'], /make 1 groups, expected at least 3/],
  [
    'nothing to balance by',
    ['--by', 'host', '--stratify', 'size'],
    /Expected some of service,/,
  ],
];
for (const [title, args, message] of WRONG) {
  test.serial(`${title}: one clear line, exit code 2, nothing written`, async (t) => {
    const { code, stdout, stderr } = await split(...args, '--name', 'wrong');
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, message);
    t.is(faults(stderr).length, 1);
    t.false(existsSync(join(data, 'splits/wrong.json')));
  });
}

test.serial(
  'what is no data set, and a split that is not there: one clear line each',
  async (t) => {
    const nowhere = await sluice(['dataset', 'split', folder, '--by', 'host']);
    t.is(nowhere.code, 2);
    t.regex(nowhere.stderr, /dataset\.json cannot be read \(ENOENT\)/);
    const report = await sluice(['dataset', 'report', data, '--split', 'none']);
    t.is(report.code, 2);
    t.regex(
      report.stderr,
      /splits\/none\.json: cannot be read \(ENOENT\); `sluice dataset split/,
    );
    t.is(faults(report.stderr).length, 1);
  },
);

test.serial('a damaged split is told, not read', async (t) => {
  await split('--by', 'session', '--name', 'damaged');
  const path = join(data, 'splits/damaged.json');
  const file = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...file, by: 'colour' }));
  const { code, stderr } = await sluice([
    'dataset',
    'report',
    data,
    '--split',
    'damaged',
  ]);
  t.is(code, 2);
  t.regex(stderr, /damaged\.json: by: .*split the data set anew/);
});
