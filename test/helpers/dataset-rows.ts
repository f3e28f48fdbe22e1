// Rows of a data set, made up, and data sets made of them.

import { fileSha256, ShardWriter, shardPath } from '../../src/dataset/dataset-file.ts';
import {
  CAPTURE_SOURCE,
  makeManifest,
  writeManifest,
} from '../../src/dataset/dataset-manifest.ts';
import { type DatasetRow, HANDSHAKE_SIZE } from '../../src/dataset/dataset-schema.ts';
import { FEATURE_VERSION } from '../../src/features/features.ts';
import { STATISTICS } from '../../src/features/statistics-table.ts';
import { OCCLUSION_VERSION } from '../../src/handshake/occlusion.ts';

/** A row that knows as little as can be. */
const EMPTY = {
  flow: 0,
  capture: '0000000000000000',
  source: 'capture',
  session: 's',
  client: 'c',
  host: 'h',
  service: 'web',
  application: null,
  labelSource: null,
  scenario: null,
  seed: null,
  clientSoftware: null,
  serverSoftware: null,
  profile: null,
  startUs: null,
  durationUs: 0,
  protocol: 'tcp',
  serverPort: null,
  kind: null,
  handshakeState: 'none',
  clientHello: false,
  serverHello: false,
  version: null,
  alpn: null,
  ech: false,
  endReason: 'fin',
  clientHelloBytes: null,
  serverHelloBytes: null,
  cipherSuites: null,
  chosenCipher: null,
  software: null,
  tcpFlags: null,
  initialWindowUp: null,
  initialWindowDown: null,
  handshakeBytes: new Uint8Array(HANDSHAKE_SIZE),
  handshakeEarly: null,
  handshakeEarlyPackets: null,
  statistics: new Uint8Array(STATISTICS.length * 8),
} as const;

/** @param signed payload of each packet, negative from the server; a millisecond between two */
export function makeRow(
  facts: Partial<DatasetRow>,
  signed: readonly number[] = [],
): DatasetRow {
  return { ...EMPTY, ...sizeColumns(signed), ...facts };
}

/** Payload lengths, with headers of 40 bytes on top, and what goes with them. */
export function sizeColumns(signed: readonly number[]) {
  const bytes = (lengths: Uint16Array | Float64Array): Uint8Array =>
    new Uint8Array(lengths.buffer);
  const up = signed.filter((size) => size >= 0);
  const down = signed.filter((size) => size < 0);
  const total = (sizes: readonly number[]): number =>
    sizes.reduce((sum, size) => sum + Math.abs(size) + 40, 0);
  return {
    seen: signed.length,
    packetsUp: up.length,
    packetsDown: down.length,
    bytesUp: total(up),
    bytesDown: total(down),
    timesNs: bytes(Float64Array.from(signed, (_, i) => i * 1e6)),
    ipLengths: bytes(Uint16Array.from(signed, (size) => Math.abs(size) + 40)),
    payloadLengths: bytes(Uint16Array.from(signed, Math.abs)),
    marks: Uint8Array.from(signed, (size) => (size < 0 ? 1 : 0)),
  };
}

/** Writes a data set; each capture of the rows is a shard. */
export async function writeDataset(
  folder: string,
  rows: readonly DatasetRow[],
): Promise<void> {
  const ids = [...new Set(rows.map(({ capture }) => capture))].sort();
  const captures = await Promise.all(
    ids.map(async (id) => {
      const own = rows.filter(({ capture }) => capture === id);
      const shard = new ShardWriter(folder, {
        id,
        looks: [],
        keepSni: false,
        description: {},
      });
      for (const row of own) shard.add(row);
      shard.finish();
      const sha256 = await fileSha256(shardPath(folder, id));
      const name = `${id}.pcap`;
      return { id, name, source: 'capture', rows: own.length, sha256, counters: {} };
    }),
  );
  const options = {
    featureVersion: FEATURE_VERSION,
    occlusion: { version: OCCLUSION_VERSION, shown: [] },
    storedPackets: 1024,
    looks: [],
    keepSni: false,
    labelsSha256: null,
  };
  const sources = { capture: CAPTURE_SOURCE };
  await writeManifest(folder, makeManifest({ options, sources, captures }));
}

/** The id of a made-up capture. */
export function captureId(number: number): string {
  return number.toString(16).padStart(16, '0');
}
