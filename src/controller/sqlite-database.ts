// Opens controller.db: checks that it is ours, whole and not newer, and brings it to the latest version.

import { existsSync, statSync } from 'node:fs';
import Database from 'libsql';
import { InputError } from '../errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './sqlite-migrations.ts';
import { STORAGE_FULL, STORAGE_UNAVAILABLE, StorageError } from './storage.ts';

export type Connection = InstanceType<typeof Database>;

/** Result codes: https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** What another process (`sluice controller enrol`) may hold the database for; it is held for milliseconds. */
const BUSY_TIMEOUT_MS = 5000;
/** A check reads the whole file: some tenths of a second up to here, which a start may cost. */
const CHECK_BYTES_MOST = 256 * 2 ** 20;

/** Throws an InputError when the file is damaged, newer or another program's; it is then left as it was. */
export function openDatabase(file: string): Connection {
  const isNew = !existsSync(file);
  let connection: Connection | undefined;
  try {
    connection = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    if (!isNew) refuseForeign(connection, file);
    // In this order: what is acknowledged has to be on the disk, which WAL alone does not see to.
    useLog(connection);
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    migrate(connection);
    return connection;
  } catch (fault) {
    connection?.close();
    if (fault instanceof InputError) throw fault;
    throw openingFault(file, fault);
  }
}

function refuseForeign(connection: Connection, file: string): void {
  const version = numberOf(connection, 'PRAGMA user_version');
  const tables = numberOf(connection, 'SELECT count(*) FROM sqlite_master');
  const isOurs = numberOf(connection, 'PRAGMA application_id') === APPLICATION_ID;
  if (!isOurs && (version > 0 || tables > 0)) {
    throw new InputError(
      'ERR_DATABASE_FOREIGN',
      `${file}: is the database of another program; give another folder with --data`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new InputError(
      'ERR_DATABASE_NEWER',
      `${file}: has version ${version}, this program knows ${MIGRATIONS.length}: a newer sluice made it, use that one`,
    );
  }
  if (statSync(file).size > CHECK_BYTES_MOST) return;
  const row: unknown = connection.prepare('PRAGMA quick_check(1)').get();
  const finding = firstValue(row);
  if (finding !== 'ok') throw damaged(file, String(finding));
}

/** A new file is switched under a lock that SQLite does not wait for when another process is doing the same. */
function useLog(connection: Connection): void {
  const untilMs = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      const mode = firstValue(connection.prepare('PRAGMA journal_mode = WAL').get());
      if (mode === 'wal') return;
      throw new Error(`its file system allows no write-ahead log (${mode})`);
    } catch (fault) {
      if (primaryCode(fault) !== SQLITE_BUSY || performance.now() > untilMs) throw fault;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/** In transactions of their own: a crash between two leaves the version that was reached. */
function migrate(connection: Connection): void {
  for (;;) {
    const isDone = inTransaction(connection, () => {
      // Read inside: another process may have just done it.
      const version = numberOf(connection, 'PRAGMA user_version');
      const step = MIGRATIONS[version];
      if (step === undefined) return true;
      connection.exec(step);
      connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      connection.exec(`PRAGMA user_version = ${version + 1}`);
      return false;
    });
    if (isDone) return;
  }
}

/** Runs `work` in a transaction that takes the lock at once: a lock that is asked for later cannot be waited for. */
export function inTransaction<T>(connection: Connection, work: () => T): T {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (fault) {
    // SQLite has rolled back by itself when the disk is full.
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw fault;
  }
}

/** The first column of the first row of a statement without parameters, which is a number. */
function numberOf(connection: Connection, sql: string): number {
  return Number(firstValue(connection.prepare(sql).get()));
}

function firstValue(row: unknown): unknown {
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
}

/** A fault of the driver while working -> what senders are told. */
export function storageFault(step: string, fault: unknown): StorageError {
  const isFull = primaryCode(fault) === SQLITE_FULL;
  return new StorageError(
    isFull ? STORAGE_FULL : STORAGE_UNAVAILABLE,
    `${step}: ${messageOf(fault)}`,
    { cause: fault },
  );
}

function openingFault(file: string, fault: unknown): Error {
  const code = primaryCode(fault);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return damaged(file, messageOf(fault));
  }
  return new InputError(
    'ERR_DATABASE_OPEN',
    `${file}: cannot be opened: ${messageOf(fault)}`,
    { cause: fault },
  );
}

function damaged(file: string, finding: string): InputError {
  return new InputError(
    'ERR_DATABASE_DAMAGED',
    `${file}: is damaged (${finding.split('\n')[0]}); restore a backup, or move it away to begin anew`,
  );
}

/** Without its extension, for which the driver does not always have a name. */
function primaryCode(fault: unknown): number {
  const isOfDriver = fault instanceof Error && 'rawCode' in fault;
  return isOfDriver ? Number(fault.rawCode) & 0xff : 0;
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
