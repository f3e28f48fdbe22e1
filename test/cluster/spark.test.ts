// A data set built by a Spark cluster is the one that is built on one machine, byte for byte.

import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readManifest } from '../../src/dataset/dataset-manifest.ts';
import { build, DEMO, dataset, LAB, sameContent } from '../helpers/dataset-build.ts';
import { jsonLines, sluice } from '../helpers/sluice.ts';
import { jobPython, sparkBuild, sparkObstacle } from '../helpers/spark.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const obstacle = sparkObstacle();
if (obstacle !== undefined) console.log(`skipped: no Spark here: ${obstacle}`);
const sparkTest = obstacle === undefined ? test.serial : test.serial.skip;
const LIMIT_MS = 1_800_000;

/** Some captures of the lab with the labels beside them, and the demo without. */
async function someCaptures(folder: string): Promise<string> {
  const captures = join(folder, 'captures');
  await mkdir(join(captures, 'deeper'), { recursive: true });
  for (const name of ['lab-01', 'lab-02', 'lab-03', 'lab-04']) {
    for (const suffix of ['.pcap.gz', '.labels.jsonl']) {
      await copyFile(join(LAB, name + suffix), join(captures, name + suffix));
    }
  }
  await copyFile(DEMO, join(captures, 'deeper/demo.pcap.gz'));
  return captures;
}

sparkTest(
  'a cluster builds the data set of one machine, and goes on where it was',
  async (t) => {
    t.timeout(LIMIT_MS);
    const folder = temporaryFolder('build');
    const captures = await someCaptures(folder);
    const [one, many] = [join(folder, 'one'), join(folder, 'many')];
    const options = ['--looks', '5,10', '--show', 'cipherInfo'];
    const { contentSha256 } = await build(t, one, captures, ...options);
    const job = [captures, '--out', many, '--groups', '3', '--', ...options];
    const { code, stdout, stderr } = await sparkBuild(job);
    t.is(code, 0, stderr);
    // spark-submit gives what the job says and what it writes on one stream.
    const last = stdout.trimEnd().split('\n').at(-1) ?? '';
    t.is(jsonLines(last)[0]?.contentSha256, contentSha256);
    await sameContent(t, one, many);

    const [first = '', second = ''] = await readdir(join(many, 'shards'));
    for (const name of [first, second]) await rm(join(many, 'shards', name));
    await rm(join(many, 'dataset.json'));
    const again = await sparkBuild(job);
    t.is(again.code, 0, again.stderr);
    const stood = [
      ...again.stdout.matchAll(/(\d+) captures built, (\d+) stood already/g),
    ];
    const sum = (group: 1 | 2) => stood.reduce((n, match) => n + Number(match[group]), 0);
    t.deepEqual([sum(1), sum(2)], [2, 3]);
    await sameContent(t, one, many);
  },
);

sparkTest('captures that cannot be read are told, the others are built', async (t) => {
  t.timeout(LIMIT_MS);
  const folder = temporaryFolder('build');
  await writeFile(join(folder, 'text.pcap'), 'no capture at all, but some text');
  await copyFile(DEMO, join(folder, 'demo.pcap.gz'));
  const out = join(folder, 'out');
  const { code, stdout } = await sparkBuild([folder, '/nowhere.pcap', '--out', out]);
  t.is(code, 2, stdout);
  t.regex(stdout, /sluice: .*text\.pcap: /);
  t.regex(stdout, /sluice: \/nowhere\.pcap: no such file/);
  const { captures } = await readManifest(out);
  t.deepEqual(
    captures.map(({ name }) => name),
    ['demo.pcap.gz'],
  );
});

const pythonTest = obstacle?.startsWith('python3') === true ? test.skip : test;

pythonTest('groups are balanced by bytes, and hold every capture once', async (t) => {
  const { code, stdout, stderr } = await jobPython(`
import json
from build_dataset import balanced_groups
captures = [(f"c{i:03}", (i * 7919) % 1000) for i in range(200)] + [("big", 60000)]
print(json.dumps([balanced_groups(captures, n) for n in (1, 4, 500)]))
print(json.dumps([balanced_groups(list(reversed(captures)), n) for n in (1, 4, 500)]))
`);
  t.is(code, 0, stderr);
  const [line = '', reversed = ''] = stdout.split('\n');
  t.is(line, reversed);
  const [one, four, many] = JSON.parse(line) as [string[], number][][];
  t.is(one?.length, 1);
  t.is(many?.length, 201);
  const paths = four?.flatMap(([group]) => group) ?? [];
  t.is(new Set(paths).size, 201);
  const sizes = four?.map(([, size]) => size).sort((a, b) => a - b) ?? [];
  t.is(sizes.at(-1), 60_000);
  // The others share what is left, as evenly as the smallest capture allows.
  t.true((sizes[2] ?? 0) - (sizes[0] ?? 0) < 1_000);
});

pythonTest(
  'options of the job stand in front of --, those of sluice behind',
  async (t) => {
    const parse = (words: readonly string[]) =>
      jobPython(
        `import sys\nfrom build_dataset import parse\nprint(parse(${JSON.stringify(words)})[1])`,
      );
    const fine = await parse(['a.pcap', '--out', 'o', '--', '--looks', '3']);
    t.is(fine.stdout, "['--looks', '3']\n");
    const wrong = await parse(['a.pcap', '--out', 'o', '--', '--workers=3']);
    t.is(wrong.code, 2);
    t.regex(wrong.stderr, /--workers is the job's own/);
  },
);

test('finish refuses shards that do not fit together', async (t) => {
  t.timeout(300_000);
  const folder = temporaryFolder('build');
  const out = join(folder, 'out');
  const lines = async (...args: string[]) => {
    return (await dataset('build', '--shards-only', '--out', out, ...args)).stdout;
  };
  const finish = (text: string) =>
    sluice(['dataset', 'finish', '--out', out, '-'], Buffer.from(text));
  const lab = join(LAB, 'lab-01.pcap.gz');
  const mixed = (await lines(DEMO)) + (await lines(lab, '--looks', '7'));
  const refused = await finish(mixed);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /was built with other options than/);
  const one = await lines(DEMO);
  await rm(join(out, 'shards'), { recursive: true });
  t.regex((await finish(one)).stderr, /the shard \w+ of lab-demo\.pcap\.gz is missing/);
  t.regex((await finish('{}\n')).stderr, /- line 1: no line of `build --shards-only`/);
  t.regex((await finish('')).stderr, /no shard was built/);
});
