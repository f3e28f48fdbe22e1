// Files as they lie on disk: lines of any length and packing, units and their ids.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { IMPORT_FORMATS } from '../../../src/dataset/import/formats.ts';
import { LINE_BYTES_MAX, readLines } from '../../../src/dataset/import/read-lines.ts';
import { unitId, unitsOf } from '../../../src/dataset/import/units.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

async function fileOf(bytes: Uint8Array | string, name = 'file'): Promise<string> {
  const path = join(temporaryFolder('lines'), name);
  await writeFile(path, bytes);
  return path;
}

async function linesOf(bytes: Uint8Array | string): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  for await (const { number, text } of readLines(await fileOf(bytes))) {
    lines.push(text);
    if (number !== lines.length) throw new Error(`line ${number} is ${lines.length}th`);
  }
  return lines;
}

const ends = test.macro({
  title: (_, text: string) => `lines of ${JSON.stringify(text)}`,
  async exec(t, text: string, expected: readonly string[]) {
    t.deepEqual(await linesOf(text), [...expected]);
  },
});
test(ends, '', []);
test(ends, 'a', ['a']);
test(ends, 'a\nb\n', ['a', 'b']);
test(ends, 'a\r\n\r\nb', ['a', '', 'b']);
test(ends, '\n\n', ['', '']);

test('a line that is too long is no text, and the next one is read', async (t) => {
  const long = 'x'.repeat(LINE_BYTES_MAX + 1);
  t.deepEqual(await linesOf(`a\n${long}\nb\n${long}`), ['a', undefined, 'b', undefined]);
});

test('gzip of several members is one text', async (t) => {
  const packed = Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')]);
  t.deepEqual(await linesOf(packed), ['a', 'bc', 'd']);
});

test('lines come back as they were, packed or not, wherever chunks end', async (t) => {
  const line = fc.string({ unit: 'grapheme', maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 50 }),
      fc.boolean(),
      async (raw, packed) => {
        const lines = raw.map((text) => text.replaceAll(/[\r\n]/g, ''));
        const text = lines.map((each) => `${each}\n`).join('');
        t.deepEqual(await linesOf(packed ? gzipSync(text) : text), lines);
      },
    ),
    { numRuns: 50 },
  );
});

test('a file of any bytes is flows, faults, or one clear error, in every format', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }),
    fc.uint8Array({ maxLength: 2_000 }).map((plain) => gzipSync(plain)),
    // Gzip by its head only.
    fc
      .uint8Array({ maxLength: 200 })
      .map((rest) => Buffer.from([0x1f, 0x8b, 8, ...rest])),
    fc
      .string({ unit: 'binary', maxLength: 500 })
      .map((text) => Buffer.from(`PPI,APP\n${text}`)),
    fc.json().map((json) => Buffer.from(`[${json},{"packet_length":[1]}]`)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (content) => {
      const path = await fileOf(content, 'file.gz');
      for (const { read } of Object.values(IMPORT_FORMATS)) {
        try {
          for await (const { place, parsed } of read(path, 16)) {
            t.true(place.startsWith(path));
            if ('fault' in parsed) t.not(parsed.fault, '');
            else t.true(parsed.sizes.length > 0);
          }
        } catch (fault) {
          t.is((fault as { code?: string }).code, 'ERR_IMPORT', String(fault));
          t.true((fault as Error).message.startsWith(path));
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('units are files or folders, found below a folder, each once', async (t) => {
  const root = temporaryFolder('units');
  for (const [folder, name] of [
    ['b/one', '2.txt'],
    ['b/one', '1.txt'],
    ['a', '1.txt'],
    ['a', 'readme.md'],
  ] as const) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, name), name);
  }
  const short = (files: readonly string[]) => files.map((f) => f.slice(root.length + 1));
  const rule = { pattern: /\.txt$/, unit: 'folder', names: 1 } as const;
  const units = await unitsOf([root, join(root, 'a')], rule);
  t.deepEqual(
    units.map(({ name, files }) => [name, short(files)]),
    [
      ['a', ['a/1.txt']],
      ['one', ['b/one/1.txt', 'b/one/2.txt']],
    ],
  );
  const files = await unitsOf([root], { ...rule, unit: 'file' });
  t.deepEqual(
    files.map(({ name }) => name),
    ['1.txt', '1.txt', '2.txt'],
  );
  const fault = await t.throwsAsync(unitsOf([root], { ...rule, pattern: /\.csv$/ }), {
    code: 'ERR_IMPORT',
  });
  t.regex(fault?.message ?? '', /no file in this folder is called like/);
});

test('the id of a unit goes by names and content, not by where it lies', (t) => {
  const hashes = ['1'.repeat(64), '2'.repeat(64)];
  const at = (root: string) => ({ name: 'x', files: [`${root}/1.txt`, `${root}/2.txt`] });
  t.is(unitId(at('/a'), hashes), unitId(at('/b/c'), hashes));
  t.not(unitId(at('/a'), hashes), unitId(at('/a'), hashes.toReversed()));
  t.is(unitId({ name: 'x', files: ['/a/1'] }, ['3'.repeat(64)]), '3'.repeat(16));
});
