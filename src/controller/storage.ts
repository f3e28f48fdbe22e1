// What a controller keeps: sites and what they reported. One interface, so that another database can stand behind it.

import { SluiceError } from '../errors.ts';
import type { Report } from '../report/report.ts';

/** Keeping or reading failed; nothing of the request was kept. */
export class StorageError extends SluiceError {}
/** No room: the sender may try again when there is some. */
export const STORAGE_FULL = 'ERR_STORAGE_FULL';
/** Locked, read-only, damaged or gone. */
export const STORAGE_UNAVAILABLE = 'ERR_STORAGE_UNAVAILABLE';

/** Who a token belongs to. */
export interface TokenOwner {
  readonly site: string;
  readonly isRevoked: boolean;
}

export interface Site {
  readonly name: string;
  readonly enrolledAtMs: number;
  /** Null while its token is good. */
  readonly revokedAtMs: number | null;
  /** When the last report came in; null before the first one, as the following three. */
  readonly lastReportMs: number | null;
  /** End of the latest window, by the site's clock. */
  readonly lastEndMs: number | null;
  /** Of the report with the latest window. */
  readonly agentVersion: string | null;
  readonly model: string | null;
  readonly reports: number;
  /** Over all reports and classes. */
  readonly flows: number;
}

/** Points of `stepMs` that begin at `fromMs`; a report is in the point in which it ends: start < end <= start + step. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

/** Sums of one class over the reports of one point. */
export interface ClassRow {
  /** From 0 on; points without reports have no row. */
  readonly point: number;
  readonly class: string;
  readonly flows: number;
  readonly packetsUp: number;
  readonly packetsDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What was not counted in one point, over all reasons. */
export interface LossRow {
  readonly point: number;
  readonly drops: number;
  readonly lost: number;
}

export interface Accepted {
  readonly accepted: number;
  /** Were there already, and were left as they are. */
  readonly duplicates: number;
}

/** Every method but `close` rejects with a StorageError when the database cannot do it. Hashes are SHA-256. */
export interface Storage {
  /** All or nothing, and safe from a crash once the promise is fulfilled. The reports are those of one enrolled site. */
  addReports(
    site: string,
    reports: readonly Report[],
    receivedAtMs: number,
  ): Promise<Accepted>;
  /** False when the site is there and not revoked; a revoked one gets the new token. */
  addSite(name: string, tokenHash: Uint8Array, enrolledAtMs: number): Promise<boolean>;
  /** False when there is no such site, or its token is revoked already. */
  revokeSite(name: string, revokedAtMs: number): Promise<boolean>;
  tokenOwner(tokenHash: Uint8Array): Promise<TokenOwner | undefined>;
  hasSite(name: string): Promise<boolean>;
  /** By name. */
  sites(): Promise<Site[]>;
  classRows(site: string, window: Window): Promise<ClassRow[]>;
  lossRows(site: string, window: Window): Promise<LossRow[]>;
  /** Undefined before the first start. */
  adminTokenHash(): Promise<Uint8Array | undefined>;
  setAdminTokenHash(hash: Uint8Array): Promise<void>;
  /** Of the database. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}
