// A file of fgnet's own layout -> flows: dataset/SET/APP/VERSION/TIMESTAMP_clear.pcap.json, a list of {packet_length (TCP payload,
// + is client to server), arrive_time_delta (s, first is 0), start_timestamp, end_timestamp (epoch, s), src_port, payload (empty)}.

import { basename, dirname } from 'node:path';
import {
  durationOf,
  epochUs,
  type Parsed,
  signedSizes,
  timesOf,
  totalsOf,
  UNKNOWN,
} from './imported-flow.ts';

const NS_A_S = 1e9;

/** What the path says: all flows of a file are of one app, started once. */
export interface FgnetFile {
  readonly app: string;
  /** VERSION/TIMESTAMP, as in the series files. */
  readonly session: string;
}

export function fgnetFile(path: string): FgnetFile {
  const version = basename(dirname(path));
  const run = basename(path).replace(/(_clear)?(\.pcap)?\.json(\.gz)?$/, '');
  return { app: basename(dirname(dirname(path))), session: `${version}/${run}` };
}

/** One for each flow of the list; a single fault where there is no list. */
export function parseFgnet(text: string, file: FgnetFile): Parsed[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [{ fault: 'not JSON' }];
  }
  if (!Array.isArray(value)) return [{ fault: 'not a list of flows' }];
  return value.map((flow: unknown) => fgnetFlow(flow, file));
}

function fgnetFlow(value: unknown, { app, session }: FgnetFile): Parsed {
  if (typeof value !== 'object' || value === null) return { fault: 'not a flow' };
  const flow = value as Record<string, unknown>;
  const sizes = signedSizes(flow.packet_length);
  if (sizes === undefined) {
    return { fault: 'packet_length: expected whole numbers, -65535 to 65535 but 0' };
  }
  const timesNs = timesOf(flow.arrive_time_delta, sizes.length, NS_A_S);
  if (timesNs === undefined) {
    return { fault: 'arrive_time_delta: expected a number for each length' };
  }
  const { start_timestamp: start, end_timestamp: end } = flow;
  const startUs = typeof start === 'number' ? epochUs(start) : undefined;
  const told =
    typeof start === 'number' && typeof end === 'number'
      ? durationOf(end - start)
      : undefined;
  return {
    ...UNKNOWN,
    app,
    session,
    protocol: 'tcp',
    startUs,
    durationUs: told ?? Math.round((timesNs.at(-1) ?? 0) / 1e3),
    ...totalsOf(sizes),
    timesNs,
    sizes,
  };
}
