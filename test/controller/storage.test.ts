// The database: made, reopened, brought to the latest version, and refused where it is not ours to use.

import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import Database from 'libsql';
import { adminToken, databaseFile } from '../../src/controller/data-folder.ts';
import { MIGRATIONS } from '../../src/controller/sqlite-migrations.ts';
import { SqliteStorage } from '../../src/controller/sqlite-storage.ts';
import { InputError } from '../../src/errors.ts';
import { NOON_MS, report, startController } from '../helpers/controller.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const HASH = createHash('sha256').update('token').digest();

/** A database with a site and a report. */
async function filled(folder: string): Promise<string> {
  const file = databaseFile(folder);
  const storage = SqliteStorage.open(file);
  await storage.addSite('edge-1', HASH, NOON_MS);
  await storage.addReports('edge-1', [report('edge-1', 0)], NOON_MS);
  await storage.close();
  return file;
}

function pragma(file: string, text: string): unknown {
  const database = new Database(file);
  const row: unknown = database.prepare(`PRAGMA ${text}`).get();
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
}

async function digest(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

test('a new database has the latest version, and is set up to survive a crash', async (t) => {
  const file = await filled(temporaryFolder('controller'));
  t.is(pragma(file, 'user_version'), MIGRATIONS.length);
  t.is(pragma(file, 'journal_mode'), 'wal');
  t.is(pragma(file, 'quick_check'), 'ok');
});

test('what was kept is there after a restart, token and all', async (t) => {
  const first = await startController();
  const site = await first.enrol('edge-1');
  await site.reports([report('edge-1', 0)]);
  const before = await first.admin.get('/v1/sites');
  const token = await adminToken(first.folder, first.storage);
  await first.close();
  const second = await startController({ folder: first.folder });
  t.deepEqual((await second.admin.get('/v1/sites')).json, before.json);
  t.is(await adminToken(second.folder, second.storage), token);
  await second.close();
});

test('an empty file, as a start that was cut short leaves, becomes a database', async (t) => {
  const file = databaseFile(temporaryFolder('controller'));
  await writeFile(file, '');
  const storage = SqliteStorage.open(file);
  t.true(await storage.addSite('edge-1', HASH, NOON_MS));
  await storage.close();
});

test('two connections to one file see what the other keeps', async (t) => {
  const file = databaseFile(temporaryFolder('controller'));
  const first = SqliteStorage.open(file);
  const second = SqliteStorage.open(file);
  await first.addSite('edge-1', HASH, NOON_MS);
  t.true(await second.hasSite('edge-1'));
  await first.close();
  await second.close();
});

test('a newer database is refused with both versions named, and left as it was', async (t) => {
  const file = await filled(temporaryFolder('controller'));
  const newer = MIGRATIONS.length + 1;
  pragma(file, `user_version = ${newer}`);
  const before = await digest(file);
  const fault = t.throws(() => SqliteStorage.open(file), { instanceOf: InputError });
  t.is(
    fault?.message,
    `${file}: has version ${newer}, this program knows ${MIGRATIONS.length}: a newer sluice made it, use that one`,
  );
  t.is(await digest(file), before);
});

test('the database of another program is refused and left as it was', async (t) => {
  const file = databaseFile(temporaryFolder('controller'));
  const other = new Database(file);
  other.exec('CREATE TABLE sites (name TEXT)');
  other.close();
  const before = await digest(file);
  t.throws(() => SqliteStorage.open(file), { message: /is the database of another/ });
  t.is(await digest(file), before);
});

test('a file that is no database is refused and left as it was', async (t) => {
  const file = databaseFile(temporaryFolder('controller'));
  await writeFile(file, 'these are notes of mine, no database\n'.repeat(50));
  const before = await digest(file);
  t.throws(() => SqliteStorage.open(file), {
    instanceOf: InputError,
    message: /is damaged \(file is not a database\); restore a backup/,
  });
  t.is(await digest(file), before);
});

test('a damaged database is refused', async (t) => {
  const file = await filled(temporaryFolder('controller'));
  const bytes = await readFile(file);
  // Behind the first page, which holds the schema.
  bytes.fill(0x5a, 4096);
  await writeFile(file, bytes);
  t.throws(() => SqliteStorage.open(file), {
    instanceOf: InputError,
    message: /^[^\n]*: is damaged \([^\n]+\); restore a backup[^\n]*$/,
  });
});

test('a database that lost its end is refused', async (t) => {
  const file = await filled(temporaryFolder('controller'));
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 6000));
  t.throws(() => SqliteStorage.open(file), { message: /is damaged/ });
});

test('a folder in place of the database is refused', async (t) => {
  const file = databaseFile(temporaryFolder('controller'));
  await mkdir(file);
  t.throws(() => SqliteStorage.open(file), {
    instanceOf: InputError,
    message: /cannot be opened/,
  });
});

test('tokens are kept as hashes only', async (t) => {
  const controller = await startController();
  const { json } = await controller.admin.post('/v1/sites', { name: 'edge-1' });
  const { token } = json as { readonly token: string };
  const admin = await adminToken(controller.folder, controller.storage);
  await controller.close();
  const bytes = await readFile(databaseFile(controller.folder), 'latin1');
  t.true(bytes.includes('edge-1'));
  t.false(bytes.includes(token));
  t.false(bytes.includes(admin ?? '?'));
});

test('the admin token is in a file for its owner alone, drawn once', async (t) => {
  const controller = await startController();
  const file = join(controller.folder, 'admin-token');
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.regex(await readFile(file, 'utf8'), /^[\w-]{43}\n$/);
  // Of another database, as after a restore: it is not told, and not replaced unasked.
  await writeFile(file, 'something else\n');
  t.is(await adminToken(controller.folder, controller.storage), undefined);
  t.is(await readFile(file, 'utf8'), 'something else\n');
  await controller.close();
});
