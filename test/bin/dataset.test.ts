// `sluice dataset` as a user runs it.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');

test('label tells service and application of each name', async (t) => {
  const { code, stdout } = await sluice([
    'dataset',
    'label',
    'www.youtube.com',
    'nowhere.test',
  ]);
  t.is(code, 0);
  t.regex(
    stdout,
    /^www\.youtube\.com +streaming +youtube +suffix youtube\.com \(services\.yaml:\d+\)$/m,
  );
  t.regex(stdout, /^nowhere\.test +- +- +-$/m);
});

test('label --explain names every rule that matches, and the one that decides', async (t) => {
  const { stdout } = await sluice(['dataset', 'label', '--explain', 'mail.google.com']);
  t.regex(stdout, /^mail\.google\.com: mail\/gmail$/m);
  t.regex(stdout, /^ {2}decides {2}mail\/gmail, suffix mail\.google\.com/m);
  t.regex(stdout, /^ {2}behind {3}mail\/mail-server, pattern /m);
});

test('label reads names from standard input and writes JSON', async (t) => {
  const input = Buffer.from('t.me\n\nnowhere.test\n');
  const { stdout } = await sluice(['dataset', 'label', '--json', '-'], input);
  t.deepEqual(
    jsonLines(stdout).map(({ host, service }) => [host, service]),
    [
      ['t.me', 'chat'],
      ['nowhere.test', null],
    ],
  );
});

test('info counts flows by service, by name and by session', async (t) => {
  const folder = temporaryFolder('labels');
  const labels = join(folder, 'labels.yaml');
  // The lab's hosts have names of their own.
  await writeFile(labels, "version: 1\nrules:\n  - service: web\n    patterns: ['.']\n");
  const { code, stdout } = await sluice([
    'dataset',
    'info',
    '--json',
    '--labels',
    labels,
    DEMO,
  ]);
  t.is(code, 0);
  const [summary] = jsonLines(stdout);
  t.is(summary?.labelled, summary?.flows);
  t.true((summary?.byName as number) > 0);
  t.deepEqual(Object.keys(summary?.services as object), ['web']);
});

const WRONG: readonly [title: string, args: readonly string[], message: RegExp][] = [
  [
    'a table that is not there',
    ['--labels', '/nowhere.yaml'],
    /labels \/nowhere\.yaml: cannot be read/,
  ],
  [
    'a folder of lists that is not there',
    ['--ut1', '/nowhere'],
    /category lists \/nowhere: no such directory/,
  ],
];
for (const [title, args, message] of WRONG) {
  test(`${title} gets one clear line and exit code 2`, async (t) => {
    const { code, stdout, stderr } = await sluice([
      'dataset',
      'label',
      ...args,
      'a.example',
    ]);
    t.is(code, 2);
    t.is(stdout, '');
    t.is(stderr.trimEnd().split('\n').length, 1);
    t.regex(stderr, message);
  });
}
