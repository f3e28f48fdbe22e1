import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { domainsOf, parseLabelTable } from '../../src/dataset/label-table.ts';
import { readLabelTable, SHIPPED_LABELS } from '../../src/dataset/shipped-labels.ts';
import { readUt1 } from '../../src/dataset/ut1.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const TABLE = `
version: 1
rules:
  - service: mail
    application: post
    suffixes: [mail.example.com]
  - service: streaming
    patterns: ['^video[0-9]*\\.example\\.com$']
  - service: social
    application: example
    suffixes: [example.com, example.net]
  - service: web
    patterns: ['^www\\.']
`;

const named = (host: string): string => {
  const found = parseLabelTable(TABLE, 'table').find(host);
  return found === undefined ? '-' : `${found.service}/${found.application ?? '-'}`;
};

const HOSTS: readonly [host: string, label: string][] = [
  ['example.com', 'social/example'],
  ['cdn.example.com', 'social/example'],
  ['CDN.Example.COM.', 'social/example'],
  ['a.mail.example.com', 'mail/post'],
  ['video7.example.com', 'streaming/-'],
  ['www.example.com', 'social/example'],
  ['www.elsewhere.org', 'web/-'],
  ['notexample.com', '-'],
  ['example.com.evil.org', '-'],
  ['10.0.0.1', '-'],
  ['2001:db8::1', '-'],
  ['', '-'],
  [`${'a.'.repeat(200)}example.com`, '-'],
];
for (const [host, label] of HOSTS) {
  test(`${host.slice(0, 40) || 'no name'} stands for ${label}`, (t) => {
    t.is(named(host), label);
  });
}

test('every match is explained, the deciding one first', (t) => {
  const matches = parseLabelTable(TABLE, 'table').explain('www.example.com');
  t.deepEqual(
    matches.map(({ service, by, matched, place }) => ({ service, by, matched, place })),
    [
      { service: 'social', by: 'suffix', matched: 'example.com', place: 'table:9' },
      { service: 'web', by: 'pattern', matched: '^www\\.', place: 'table:12' },
    ],
  );
});

test('whatever the host, the first explanation is the answer', async (t) => {
  const table = await readLabelTable(SHIPPED_LABELS);
  const known =
    'www google com mail video fbcdn net ads doh clients1 pinterest fr s3 amazonaws';
  const word = fc.oneof(
    fc.constantFrom(...known.split(' ')),
    fc.stringMatching(/^[a-z0-9-]{1,9}$/),
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
      const host = words.join('.');
      t.deepEqual(table.explain(host)[0], table.find(host));
    }),
  );
});

const FAULTS: readonly [title: string, text: string, message: RegExp][] = [
  ['no YAML', 'rules: [', /^labels t\.yaml:1: /],
  ['another version', 'version: 2\nrules: []', /t\.yaml:1: version: /],
  ['no rules', 'version: 1', /rules: /],
  [
    'an unknown key',
    'version: 1\nrules:\n  - service: web\n    suffix: [a.b]\n    patterns: [a]',
    /t\.yaml:3: rules\.0: .*suffix/,
  ],
  [
    'a suffix with a dot in front',
    'version: 1\nrules:\n  - service: web\n    suffixes: [.a.b]',
    /t\.yaml:4: rules\.0\.suffixes\.0: expected a domain/,
  ],
  [
    'a rule that matches nothing',
    'version: 1\nrules:\n  - service: web',
    /t\.yaml:3: rules\.0: expected suffixes or patterns/,
  ],
  [
    'a pattern that is none',
    "version: 1\nrules:\n  - service: web\n    patterns: ['(']",
    /t\.yaml:4: no regular expression/,
  ],
];
for (const [title, text, message] of FAULTS) {
  test(`a table with ${title} is refused, and the line is named`, (t) => {
    t.throws(() => parseLabelTable(text, 't.yaml'), { code: 'ERR_LABELS', message });
  });
}

test('the shipped table knows the eight services, infrastructure and 40 applications', async (t) => {
  const table = await readLabelTable(SHIPPED_LABELS);
  const services = 'chat download games infrastructure mail search social streaming web';
  t.deepEqual([...table.services].sort(), services.split(' '));
  t.true(
    table.applications.length >= 40 + 5,
    `${table.applications.length} applications`,
  );
});

test('names of one provider stand for several services', async (t) => {
  const table = await readLabelTable(SHIPPED_LABELS);
  const services = (hosts: string): (string | undefined)[] =>
    hosts.split(' ').map((host) => table.find(host)?.service);
  t.deepEqual(
    services(
      'mail.google.com drive.google.com www.google.com meet.google.com adservice.google.com',
    ),
    ['mail', 'download', 'search', 'chat', 'infrastructure'],
  );
  t.deepEqual(services('www.facebook.com edge-mqtt.facebook.com video.xx.fbcdn.net'), [
    'social',
    'chat',
    'streaming',
  ]);
});

test('lists in the layout of UT1 answer where no rule does', async (t) => {
  const folder = temporaryFolder('ut1');
  for (const category of ['games', 'press', 'adult']) await mkdir(join(folder, category));
  await writeFile(join(folder, 'games', 'domains'), 'play.example.org\nexample.com\n');
  await writeFile(join(folder, 'press', 'domains.gz'), gzipSync('news.example.org\n'));
  await writeFile(join(folder, 'adult', 'domains'), 'other.example.org\n');
  const table = parseLabelTable(TABLE, 'table', await readUt1(folder));
  t.like(table.find('a.play.example.org'), { service: 'games', by: 'category' });
  t.is(table.find('news.example.org')?.service, 'web');
  t.is(table.find('example.com')?.service, 'social', 'rules come first');
  t.is(table.find('other.example.org'), undefined);
  t.is(table.explain('example.com').at(-1)?.place, join(folder, 'games'));
});

test('a folder without such lists is refused', async (t) => {
  const folder = temporaryFolder('ut1');
  await t.throwsAsync(readUt1(folder), { message: /none of publicite/ });
  await t.throwsAsync(readUt1(join(folder, 'nowhere')), { message: /no such directory/ });
});

test('domains of a host are itself and all above', (t) => {
  t.deepEqual(domainsOf('a.b.c'), ['a.b.c', 'b.c', 'c']);
});
