// The truth about a capture: one JSON line for each flow, written by the process that opened it.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Service } from '../models/labels.ts';
import type { Negotiated } from './profiles.ts';

/** What spoke inside TLS; 'messages' is a protocol of its own straight on TLS. */
export type Transport = 'http/1.1' | 'h2' | 'websocket' | 'h2-messages' | 'messages';

/** What was done on one connection. Addresses and ports are those of the client's own socket. */
export interface FlowLabel {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Since the epoch; in a finished data set the time of the SYN in the capture. */
  readonly startUs: number;
  readonly service: Service;
  /** All flows of one activity of one user share it. */
  readonly session: string;
  readonly host: string;
  readonly clientProfile: string;
  readonly alpn: Negotiated;
  readonly transport: Transport;
  readonly tlsVersion: string;
  readonly resumed: boolean;
  readonly capture: string;
  /** The capture's seed. */
  readonly seed: number;
}

export function readLabels(file: string): FlowLabel[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line): FlowLabel => JSON.parse(line));
}

export function writeLabels(file: string, labels: readonly FlowLabel[]): void {
  writeFileSync(file, labels.map((label) => `${JSON.stringify(label)}\n`).join(''));
}
