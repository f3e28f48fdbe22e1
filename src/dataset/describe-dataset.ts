// A data set -> what is in it: counts by class, source and protocol.

import type { DatasetManifest } from './dataset-manifest.ts';
import { readDataset } from './dataset-reader.ts';

interface ServiceCount {
  flows: number;
  /** By label source. */
  readonly labelledBy: Record<string, number>;
  readonly applications: Record<string, number>;
}

/** The object of `sluice dataset info DIR --json`. Names are a contract. */
export interface DatasetDescription {
  readonly rows: number;
  readonly labelled: number;
  readonly captures: number;
  readonly sessions: number;
  readonly clients: number;
  readonly hosts: number;
  /** By class; flows without a label are not in it. */
  readonly services: Readonly<Record<string, ServiceCount>>;
  readonly sources: Readonly<Record<string, number>>;
  readonly labelSources: Readonly<Record<string, number>>;
  /** tls, quic, dtls, or tcp and udp where no handshake was found. */
  readonly protocols: Readonly<Record<string, number>>;
  readonly handshakes: Readonly<Record<string, number>>;
  readonly storedPackets: number;
  readonly looks: readonly number[];
  readonly shown: readonly string[];
  readonly keepSni: boolean;
  readonly contentSha256: string;
}

const COUNTED = [
  'source',
  'session',
  'client',
  'host',
  'service',
  'application',
  'labelSource',
  'protocol',
  'kind',
  'handshakeState',
] as const;

/** @throws InputError ERR_DATASET */
export async function describeDataset(
  directory: string,
  manifest: DatasetManifest,
): Promise<DatasetDescription> {
  const services = new Map<string, ServiceCount>();
  const [sources, labelSources, protocols, handshakes] = [{}, {}, {}, {}];
  const [sessions, clients, hosts] = [new Set(), new Set(), new Set()];
  let labelled = 0;
  for await (const row of readDataset(directory, { columns: COUNTED })) {
    increase(sources, row.source);
    increase(protocols, row.kind ?? row.protocol);
    increase(handshakes, row.handshakeState);
    sessions.add(row.session);
    clients.add(row.client);
    hosts.add(row.host);
    if (row.service === null) continue;
    labelled++;
    const count = services.get(row.service) ?? {
      flows: 0,
      labelledBy: {},
      applications: {},
    };
    services.set(row.service, count);
    count.flows++;
    increase(labelSources, row.labelSource ?? '');
    increase(count.labelledBy, row.labelSource ?? '');
    if (row.application !== null) increase(count.applications, row.application);
  }
  return {
    rows: manifest.rows,
    labelled,
    captures: manifest.captures.length,
    sessions: sessions.size,
    clients: clients.size,
    hosts: hosts.size,
    services: Object.fromEntries(
      [...services]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => [
          name,
          {
            flows: count.flows,
            labelledBy: sorted(count.labelledBy),
            applications: sorted(count.applications),
          },
        ]),
    ),
    sources: sorted(sources),
    labelSources: sorted(labelSources),
    protocols: sorted(protocols),
    handshakes: sorted(handshakes),
    storedPackets: manifest.storedPackets,
    looks: manifest.looks,
    shown: manifest.occlusion.shown,
    keepSni: manifest.keepSni,
    contentSha256: manifest.contentSha256,
  };
}

function increase(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
