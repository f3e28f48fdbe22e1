// The one-file archive: the same files give the same bytes, tar reads it, and hostile ones are refused in one line.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { packArchive, readArchive } from '../../src/bundle/archive.ts';
import { BundleError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const FILES = new Map([
  ['manifest.json', Buffer.from('{}')],
  ['model.onnx', Buffer.alloc(1025, 7)],
  ['empty', Buffer.alloc(0)],
]);

const asText = (files: ReadonlyMap<string, Uint8Array>) =>
  [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]);

test('whatever the files, they come back, and the same bytes again', (t) => {
  const part = fc.tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
    fc.uint8Array({ maxLength: 2000 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const files = new Map(parts);
      const archive = packArchive(files);
      t.deepEqual(asText(readArchive(archive, 'a.tar')), asText(files));
      t.deepEqual(packArchive(readArchive(archive, 'a.tar')), archive);
    }),
  );
});

test('tar reads ours, and we read what tar writes', async (t) => {
  const folder = temporaryFolder('tar');
  const tar = (...args: string[]) => execFileSync('tar', args, { cwd: folder });
  await writeFile(join(folder, 'a.tar'), packArchive(FILES));
  t.is(tar('tf', 'a.tar').toString(), 'manifest.json\nmodel.onnx\nempty\n');
  tar('xf', 'a.tar');
  const theirs = tar('cf', '-', '--format=ustar', ...FILES.keys());
  t.deepEqual(asText(readArchive(theirs, 'b.tar')), asText(FILES));
  const gnu = tar('cf', '-', '--format=gnu', ...FILES.keys());
  t.deepEqual(asText(readArchive(gnu, 'c.tar')), asText(FILES));
});

/** An archive whose first header is changed, with its sum made right again. */
function withHeader(change: (header: Buffer) => void): Buffer {
  const archive = Buffer.from(packArchive(FILES));
  const header = archive.subarray(0, 512);
  change(header);
  header.fill(' ', 148, 156);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return archive;
}

const named = (name: string) => (header: Buffer) => {
  header.fill(0, 0, 100);
  header.write(name, 0, 'latin1');
};

const hostile = test.macro({
  title: (name = '') => `an archive with ${name} is refused`,
  exec(t, bytes: Uint8Array, message: RegExp) {
    const fault = t.throws(() => readArchive(bytes, 'a.tar'), {
      instanceOf: BundleError,
      message,
    });
    t.false(fault?.message.includes('\n'));
  },
});

test('a path upwards', hostile, withHeader(named('../passwd')), /expected plain files/);
test('an absolute path', hostile, withHeader(named('/etc/passwd')), /plain files/);
test('a folder', hostile, withHeader(named('a/b')), /plain files/);
test('a hidden file', hostile, withHeader(named('.bashrc')), /plain files/);
test('a line break in a name', hostile, withHeader(named('a\nb')), /plain files/);
test(
  'a prefix',
  hostile,
  withHeader((h) => h.write('..', 345)),
  /plain files/,
);
for (const [what, type] of [
  ['a link', '2'],
  ['a hard link', '1'],
  ['a device', '3'],
  ['a long name of GNU', 'L'],
  ['a pax header', 'x'],
] as const) {
  test(
    what,
    hostile,
    withHeader((h) => h.write(type, 156)),
    /plain files/,
  );
}
test(
  'a size beyond its end',
  hostile,
  withHeader((h) => h.write('77777777777', 124)),
  /is to have 8589934591 bytes/,
);
test(
  'a size in binary',
  hostile,
  withHeader((h) => h.fill(0x80, 124, 136)),
  /no size/,
);
test('one file twice', hostile, withHeader(named('model.onnx')), /twice/);
test('nothing in it', hostile, new Uint8Array(), /ends too early/);
test('a header cut', hostile, packArchive(FILES).subarray(0, 100), /ends too early/);
test(
  'too many files',
  hostile,
  packArchive(new Map(Array.from({ length: 40 }, (_, i) => [`f${i}`, Buffer.of(i)]))),
  /more than 32 files/,
);
test('a damaged header', hostile, withoutSum(), /no tar archive/);

function withoutSum(): Uint8Array {
  const bytes = Uint8Array.from(packArchive(FILES));
  bytes[0] = 0x6e;
  return bytes;
}

test('no bytes throw anything but a BundleError of one line', (t) => {
  const good = packArchive(FILES);
  const check = (bytes: Uint8Array) => {
    try {
      for (const name of readArchive(bytes, 'a.tar').keys()) t.regex(name, /^[a-z0-9]/);
    } catch (fault) {
      t.true(fault instanceof BundleError);
      t.false((fault as Error).message.includes('\n'));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), check));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(good.length),
      (changes, length) => {
        const bytes = Uint8Array.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        check(bytes);
        check(bytes.subarray(0, length));
      },
    ),
  );
});
