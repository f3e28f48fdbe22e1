// The folder of a controller: its database and its admin token, for nobody else to read.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { SqliteStorage } from './sqlite-storage.ts';
import type { Storage } from './storage.ts';
import { isSameHash, isToken, newToken, tokenHash } from './tokens.ts';

const DATABASE = 'controller.db';
const ADMIN_TOKEN = 'admin-token';

export function databaseFile(folder: string): string {
  return join(folder, DATABASE);
}

export function adminTokenFile(folder: string): string {
  return join(folder, ADMIN_TOKEN);
}

/** Makes folder and database where they are not there. Throws an InputError when they cannot be used. */
export function openDataFolder(folder: string): SqliteStorage {
  const refuse = (fault: unknown): InputError => {
    const why = fault instanceof Error ? fault.message : String(fault);
    return new InputError(
      'ERR_DATA_FOLDER',
      `${folder}: cannot be used to keep data: ${why}`,
      { cause: fault },
    );
  };
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
      throw new Error('a file is in its place');
    }
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (fault) {
    throw refuse(fault);
  }
  return SqliteStorage.open(databaseFile(folder));
}

/** Not by mkdir's `recursive`: of Node 20 it never returns where a file system takes no folders, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (fault) {
    // Another process was quicker.
    if (!existsSync(folder)) throw fault;
  }
}

/**
 * The admin token, drawn at the first start. Undefined when its file was taken away or is not of this database: it
 * cannot be told again then, only replaced.
 */
export async function adminToken(
  folder: string,
  storage: Storage,
): Promise<string | undefined> {
  const file = adminTokenFile(folder);
  const hash = await storage.adminTokenHash();
  const kept = readToken(file);
  if (hash !== undefined) {
    return kept !== undefined && isSameHash(tokenHash(kept), hash) ? kept : undefined;
  }
  // The file first: a start that was cut short between the two goes on from the file.
  const token = kept ?? newToken();
  if (kept === undefined) writeToken(file, token);
  await storage.setAdminTokenHash(tokenHash(token));
  return token;
}

/** A new admin token, in its file; the old one is void from now on, also for a controller that runs. */
export async function replaceAdminToken(folder: string, storage: Storage): Promise<void> {
  const token = newToken();
  await storage.setAdminTokenHash(tokenHash(token));
  writeToken(adminTokenFile(folder), token);
}

function readToken(file: string): string | undefined {
  try {
    const token = readFileSync(file, 'utf8').trim();
    return isToken(token) ? token : undefined;
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') {
      return undefined;
    }
    throw new InputError('ERR_ADMIN_TOKEN', `${file}: cannot be read`, { cause: fault });
  }
}

function writeToken(file: string, token: string): void {
  try {
    writeFileSync(file, `${token}\n`, { mode: 0o600, flush: true });
  } catch (fault) {
    throw new InputError('ERR_ADMIN_TOKEN', `${file}: cannot be written`, {
      cause: fault,
    });
  }
}
