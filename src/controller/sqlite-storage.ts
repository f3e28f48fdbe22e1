// Storage in one SQLite file. The driver is synchronous: a request's work is one uninterrupted piece.

import { statSync } from 'node:fs';
import type Database from 'libsql';
import { z } from 'zod';
import type { Report } from '../report/report.ts';
import {
  type Connection,
  inTransaction,
  openDatabase,
  storageFault,
} from './sqlite-database.ts';
import type {
  Accepted,
  ClassRow,
  LossRow,
  Site,
  Storage,
  TokenOwner,
  Window,
} from './storage.ts';

// Rows are checked on their way out: the driver gives anything, with a `_metadata` beside it that these leave out.
const integer = z.number();
const siteRow = z.object({
  name: z.string(),
  enrolledAtMs: integer,
  revokedAtMs: integer.nullable(),
  lastReportMs: integer.nullable(),
  lastEndMs: integer.nullable(),
  agentVersion: z.string().nullable(),
  model: z.string().nullable(),
  reports: integer,
  flows: integer,
});
const classRow = z.object({
  point: integer,
  class: z.string(),
  flows: integer,
  packetsUp: integer,
  packetsDown: integer,
  bytesUp: integer,
  bytesDown: integer,
});
const lossRow = z.object({ point: integer, drops: integer, lost: integer });
const ownerRow = z.object({ site: z.string(), revokedAtMs: integer.nullable() });
const hashRow = z.object({ hash: z.instanceof(Uint8Array) });
const idRow = z.object({ id: integer });

const SITES = `
  SELECT name, enrolled_at_ms AS enrolledAtMs, revoked_at_ms AS revokedAtMs, last_report_ms AS lastReportMs,
    last_end_ms AS lastEndMs, agent_version AS agentVersion, model,
    coalesce(reports, 0) AS reports, coalesce(flows, 0) AS flows
  FROM sites LEFT JOIN site_totals ON site = name
  ORDER BY name`;

// The driver binds every number as REAL, and the point is a division of whole numbers: hence the casts.
const POINT = '(end_ms - 1 - CAST(:fromMs AS INTEGER)) / CAST(:stepMs AS INTEGER)';
const IN_WINDOW = 'site = :site AND end_ms > :fromMs AND end_ms <= :toMs';

// total() and not sum(): it is a double, and does not fail where counters are absurd.
const CLASS_ROWS = `
  SELECT ${POINT} AS point, class, total(flows) AS flows,
    total(packets_up) AS packetsUp, total(packets_down) AS packetsDown,
    total(bytes_up) AS bytesUp, total(bytes_down) AS bytesDown
  FROM reports JOIN class_counts ON report = id
  WHERE ${IN_WINDOW}
  GROUP BY point, class`;

const LOSS_ROWS = `
  SELECT ${POINT} AS point, total(iif(kind = 'drop', count, 0)) AS drops, total(iif(kind = 'lost', count, 0)) AS lost
  FROM reports JOIN loss_counts ON report = id
  WHERE ${IN_WINDOW}
  GROUP BY point`;

// A single parameter goes in a list: by itself, bytes would be taken for names with values, and the driver abort.
const ADD_REPORT = `
  INSERT INTO reports (site, boot, sequence, start_ms, end_ms, received_at_ms, agent_version, model)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (site, boot, sequence) DO NOTHING
  RETURNING id`;

// The version and the model shown are those of the latest window, whatever order reports come in.
const ADD_TOTALS = `
  INSERT INTO site_totals (site, last_report_ms, last_end_ms, agent_version, model, reports, flows)
  VALUES (?, ?, ?, ?, ?, 1, ?)
  ON CONFLICT (site) DO UPDATE SET
    last_report_ms = max(last_report_ms, excluded.last_report_ms),
    last_end_ms = max(last_end_ms, excluded.last_end_ms),
    agent_version = iif(excluded.last_end_ms >= last_end_ms, excluded.agent_version, agent_version),
    model = iif(excluded.last_end_ms >= last_end_ms, excluded.model, model),
    reports = reports + 1,
    flows = flows + excluded.flows`;

const ADD_SITE = `
  INSERT INTO sites (name, token_hash, enrolled_at_ms) VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET
    token_hash = excluded.token_hash, enrolled_at_ms = excluded.enrolled_at_ms, revoked_at_ms = NULL
    WHERE revoked_at_ms IS NOT NULL`;

export class SqliteStorage implements Storage {
  readonly #file: string;
  readonly #connection: Connection;
  readonly #statements = new Map<string, Database.Statement>();

  private constructor(file: string, connection: Connection) {
    this.#file = file;
    this.#connection = connection;
  }

  /** Makes the file if it is not there. Throws an InputError when it cannot be used. */
  static open(file: string): SqliteStorage {
    return new SqliteStorage(file, openDatabase(file));
  }

  async addReports(
    site: string,
    reports: readonly Report[],
    receivedAtMs: number,
  ): Promise<Accepted> {
    return this.#attempt('keep reports', () =>
      inTransaction(this.#connection, () => {
        const accepted = reports.filter((report) =>
          this.#addReport(site, report, receivedAtMs),
        ).length;
        return { accepted, duplicates: reports.length - accepted };
      }),
    );
  }

  /** False when it is there already. */
  #addReport(site: string, report: Report, receivedAtMs: number): boolean {
    const { boot, sequence, startMs, endMs, agent, classes, drops, lost } = report;
    const row = this.#prepare(ADD_REPORT).get(
      site,
      boot.toLowerCase(),
      sequence,
      startMs,
      endMs,
      receivedAtMs,
      agent.version,
      agent.model,
    );
    if (row === undefined) return false;
    const { id } = idRow.parse(row);
    const addClass = this.#prepare(
      'INSERT INTO class_counts VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    let flows = 0;
    for (const [name, count] of Object.entries(classes)) {
      const { packetsUp, packetsDown, bytesUp, bytesDown } = count;
      addClass.run(id, name, count.flows, packetsUp, packetsDown, bytesUp, bytesDown);
      flows += count.flows;
    }
    const addLoss = this.#prepare('INSERT INTO loss_counts VALUES (?, ?, ?, ?)');
    for (const [reason, count] of Object.entries(drops)) {
      addLoss.run(id, 'drop', reason, count);
    }
    for (const [queue, count] of Object.entries(lost)) {
      addLoss.run(id, 'lost', queue, count);
    }
    this.#prepare(ADD_TOTALS).run(
      site,
      receivedAtMs,
      endMs,
      agent.version,
      agent.model,
      flows,
    );
    return true;
  }

  async addSite(
    name: string,
    tokenHash: Uint8Array,
    enrolledAtMs: number,
  ): Promise<boolean> {
    return this.#attempt('enrol a site', () => {
      const { changes } = this.#prepare(ADD_SITE).run(name, tokenHash, enrolledAtMs);
      return changes > 0;
    });
  }

  async revokeSite(name: string, revokedAtMs: number): Promise<boolean> {
    return this.#attempt('revoke a site', () => {
      const { changes } = this.#prepare(
        'UPDATE sites SET revoked_at_ms = ? WHERE name = ? AND revoked_at_ms IS NULL',
      ).run(revokedAtMs, name);
      return changes > 0;
    });
  }

  async tokenOwner(tokenHash: Uint8Array): Promise<TokenOwner | undefined> {
    return this.#attempt('look up a token', () => {
      const row = this.#prepare(
        'SELECT name AS site, revoked_at_ms AS revokedAtMs FROM sites WHERE token_hash = ?',
      ).get([tokenHash]);
      if (row === undefined) return undefined;
      const { site, revokedAtMs } = ownerRow.parse(row);
      return { site, isRevoked: revokedAtMs !== null };
    });
  }

  async hasSite(name: string): Promise<boolean> {
    return this.#attempt('look up a site', () => {
      const row = this.#prepare('SELECT 1 FROM sites WHERE name = ?').get(name);
      return row !== undefined;
    });
  }

  async sites(): Promise<Site[]> {
    return this.#attempt('list sites', () =>
      siteRow.array().parse(this.#prepare(SITES).all()),
    );
  }

  async classRows(site: string, window: Window): Promise<ClassRow[]> {
    return this.#attempt('add up classes', () =>
      classRow.array().parse(this.#prepare(CLASS_ROWS).all({ site, ...window })),
    );
  }

  async lossRows(site: string, window: Window): Promise<LossRow[]> {
    return this.#attempt('add up drops', () =>
      lossRow.array().parse(this.#prepare(LOSS_ROWS).all({ site, ...window })),
    );
  }

  async adminTokenHash(): Promise<Uint8Array | undefined> {
    return this.#attempt('look up the admin token', () => {
      const row = this.#prepare('SELECT token_hash AS hash FROM admin').get();
      return row === undefined ? undefined : hashRow.parse(row).hash;
    });
  }

  async setAdminTokenHash(hash: Uint8Array): Promise<void> {
    this.#attempt('set the admin token', () =>
      this.#prepare('INSERT OR REPLACE INTO admin VALUES (1, ?)').run([hash]),
    );
  }

  async bytes(): Promise<number> {
    return this.#attempt('measure the database', () =>
      // The log is there while the database is open, and may be the larger one.
      ['', '-wal'].reduce(
        (sum, suffix) =>
          sum + (statSync(this.#file + suffix, { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    );
  }

  async close(): Promise<void> {
    if (!this.#connection.open) return;
    this.#statements.clear();
    // The driver ends a connection once its statements are collected: by hand, so that the one file is all there is.
    this.#connection.pragma('wal_checkpoint(TRUNCATE)');
    this.#connection.close();
  }

  /** Once a text: preparing costs more than an insertion. */
  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #attempt<T>(step: string, work: () => T): T {
    try {
      return work();
    } catch (fault) {
      throw storageFault(step, fault);
    }
  }
}
