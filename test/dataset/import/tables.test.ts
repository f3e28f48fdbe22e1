// Tables that people write: applications and sets.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import {
  parseAppTable,
  readAppTable,
  SHIPPED_APPS,
} from '../../../src/dataset/import/apps.ts';
import { findSet } from '../../../src/dataset/import/sets.ts';
import { SHIPPED_LABELS } from '../../../src/dataset/shipped-labels.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

test('an application has one service whether its name or its server tells', async (t) => {
  const { table } = await readAppTable(SHIPPED_APPS);
  const labels = parse(await readFile(SHIPPED_LABELS, 'utf8')) as {
    rules: { service: string; application?: string }[];
  };
  const services = new Map(labels.rules.map((rule) => [rule.application, rule.service]));
  const shared = table.labels.filter(({ application }) => services.has(application));
  t.true(shared.length > 20);
  for (const { application, service } of shared) {
    t.is(service, services.get(application), application);
  }
});

const spelling = test.macro({
  title: (_, name: string) => `"${name}" is google-drive`,
  async exec(t, name: string) {
    const { table } = await readAppTable(SHIPPED_APPS);
    t.deepEqual(table.find(name), { service: 'download', application: 'google-drive' });
  },
});
for (const name of ['Google Drive', 'google-drive', 'google_drive', 'GoogleDrive']) {
  test(spelling, name);
}

test('a name that is in no rule has no label', (t) => {
  const table = parseAppTable('version: 1\napps: [{application: a, names: [b]}]', 'x');
  t.is(table.find('c'), undefined);
  t.deepEqual(table.find('B'), { service: undefined, application: 'a' });
});

const faulty = test.macro({
  title: (_, what: string) =>
    `a table of applications with ${what} is refused with its line`,
  exec(t, _what: string, text: string, expected: RegExp) {
    const fault = t.throws(() => parseAppTable(text, 'apps.yaml'), { code: 'ERR_APPS' });
    t.regex(fault?.message ?? '', expected);
  },
});
test(
  faulty,
  'a name in two rules',
  'version: 1\napps:\n  - {application: a, names: [one]}\n  - {application: b, names: [two, One]}\n',
  /^apps apps\.yaml:4: One stands in two rules$/,
);
test(
  faulty,
  'an unknown key',
  'version: 1\napps:\n  - {application: a, names: [one], servise: chat}\n',
  /apps\.yaml:3: .*servise/,
);
test(faulty, 'another version', 'version: 2\napps: []\n', /apps\.yaml:1: version/);
test(faulty, 'broken YAML', 'version: [1\n', /apps\.yaml:/);
test(
  faulty,
  'aliases without end',
  `version: 1\na: &a [1]\nb: &b [${'*a,'.repeat(99)}*a]\nc: [${'*b,'.repeat(99)}*b]\n`,
  /apps\.yaml:/,
);

test('a set that nobody knows is refused, with those that are known', async (t) => {
  const fault = await t.throwsAsync(findSet('mine', undefined), { code: 'ERR_SETS' });
  t.regex(fault?.message ?? '', /no set is called "mine".*fgnet-d1.*--sets FILE/);
});

test('a file may describe a set', async (t) => {
  const path = join(temporaryFolder('sets'), 'sets.yaml');
  await writeFile(
    path,
    'version: 1\nsets:\n  - {name: mine, size: ip, kinds: all, repeats: true, leftOut: nothing, licence: ours, origin: here}\n',
  );
  t.is((await findSet('mine', path)).size, 'ip');
  await writeFile(path, 'version: 1\nsets:\n  - {name: mine, size: metres}\n');
  const fault = await t.throwsAsync(findSet('mine', path), { code: 'ERR_SETS' });
  t.regex(fault?.message ?? '', /sets\.yaml:3: sets\.0\.size/);
});
