// A small data set on disk, made up: each class has sizes of its own, with noise, and its flows come in sessions. No captures and
// no lab are needed to train on it.

import { type Random, seededRandom } from '../../models/random.ts';
import { fileSha256, ShardWriter, shardPath } from '../../src/dataset/dataset-file.ts';
import {
  CAPTURE_SOURCE,
  type CaptureEntry,
  type DatasetOptions,
  makeManifest,
  writeManifest,
} from '../../src/dataset/dataset-manifest.ts';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';
import { lookColumns } from '../../src/dataset/row-tensors.ts';
import { writeSplit } from '../../src/dataset/split-file.ts';
import { FEATURE_VERSION } from '../../src/features/features.ts';
import { PAPER_RULE } from '../../src/features/packet-rule.ts';
import { HANDSHAKE_BYTES, HANDSHAKE_MESSAGES } from '../../src/features/shapes.ts';
import { OCCLUSION_VERSION } from '../../src/handshake/occlusion.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface MadeDataset {
  readonly directory: string;
  readonly contentSha256: string;
}

export interface MadeOptions {
  /** Of each class, in the order of `classes`. */
  readonly flows: readonly number[];
  readonly classes: readonly string[];
  readonly captures?: number;
  readonly seed?: number;
}

const OPTIONS: DatasetOptions = {
  featureVersion: FEATURE_VERSION,
  occlusion: { version: OCCLUSION_VERSION, shown: [] },
  storedPackets: 64,
  looks: [3],
  keepSni: false,
  labelsSha256: null,
};
/** Flows of a session. */
const SESSION = 2;
const PARTS = ['train', 'validation', 'test'] as const;

/** Makes it in a temporary folder, with a split `parts` by session: 3/5, 1/5, 1/5. */
export async function makeDataset(options: MadeOptions): Promise<MadeDataset> {
  const directory = temporaryFolder('made');
  const random = seededRandom(options.seed ?? 1);
  const captures: CaptureEntry[] = [];
  const sessions: Record<(typeof PARTS)[number], string[]> = {
    train: [],
    validation: [],
    test: [],
  };
  const count = options.captures ?? 2;
  for (let c = 0; c < count; c++) {
    const id = c.toString(16).padStart(16, '0');
    const shard = new ShardWriter(directory, {
      ...OPTIONS,
      id,
      description: { options: OPTIONS, source: 'capture', counters: {} },
    });
    let flow = 0;
    for (const [k, name] of options.classes.entries()) {
      const own = Math.floor((options.flows[k] ?? 0) / count);
      for (let i = 0; i < own; i++) {
        const number = Math.floor(i / SESSION);
        const session = `${id}-${name}-${number}`;
        if (i % SESSION === 0) sessions[partOfSession(number)].push(session);
        shard.add(makeFlow({ capture: id, flow: flow++, session, name, k }, random));
      }
    }
    shard.finish();
    captures.push({
      id,
      name: `made-${c}.pcap`,
      source: 'capture',
      rows: flow,
      sha256: await fileSha256(shardPath(directory, id)),
      counters: {},
    });
  }
  const sources = { capture: CAPTURE_SOURCE };
  const manifest = makeManifest({ options: OPTIONS, sources, captures });
  await writeManifest(directory, manifest);
  await writeSplit(directory, {
    format: 'sluice-split',
    version: 1,
    name: 'parts',
    dataset: manifest.contentSha256,
    by: 'session',
    seed: 1,
    stratify: [],
    parts: sessions,
    dropped: [],
    torn: [],
    duplicatesKept: true,
    rows: { all: manifest.rows, unlabelled: 0, infrastructure: 0, withoutValue: 0 },
    classes: [],
  });
  return { directory, contentSha256: manifest.contentSha256 };
}

function partOfSession(number: number): (typeof PARTS)[number] {
  if (number % 5 === 3) return 'validation';
  return number % 5 === 4 ? 'test' : 'train';
}

interface MadeFlow {
  readonly capture: string;
  readonly flow: number;
  readonly session: string;
  readonly name: string;
  readonly k: number;
}

function makeFlow(
  { capture, flow, session, name, k }: MadeFlow,
  random: Random,
): DatasetRow {
  const seen = 4 + Math.floor(random() * 40);
  const payload = Uint16Array.from({ length: seen }, (_, i) =>
    i % 3 === 0
      ? 100 + 150 * k + Math.floor(random() * 100)
      : Math.floor(random() * 1400),
  );
  const marks = Uint8Array.from({ length: seen }, (_, i) => (i % 2 === 0 ? 0 : 1));
  const times = Float64Array.from({ length: seen }, (_, i) => i * (1 + k) * 1e6);
  const handshake = new Uint8Array(HANDSHAKE_MESSAGES * HANDSHAKE_BYTES);
  for (let i = 0; i < 40; i++) handshake[i] = Math.floor(random() * 50) + 20 * k;
  const packets = {
    protocol: k % 2 === 0 ? 'tcp' : 'udp',
    seen,
    timesNs: new Uint8Array(times.buffer),
    ipLengths: new Uint8Array(payload.map((n) => n + 40).buffer),
    payloadLengths: new Uint8Array(payload.buffer),
    tcpFlags: new Uint8Array(seen),
    marks,
    initialWindowUp: 64_000,
    initialWindowDown: 65_000,
  };
  return {
    capture,
    flow,
    session,
    source: 'capture',
    client: 'c',
    host: `host-${name}`,
    service: name,
    application: `${name}-app`,
    labelSource: 'acted',
    scenario: null,
    seed: null,
    clientSoftware: null,
    serverSoftware: null,
    profile: null,
    startUs: 1_000_000 * flow,
    durationUs: seen * 1000,
    serverPort: 443,
    kind: 'tls',
    handshakeState: 'full',
    clientHello: true,
    serverHello: true,
    version: 'TLS 1.3',
    alpn: k % 2 === 0 ? 'h2,http/1.1' : 'h3',
    ech: false,
    packetsUp: Math.ceil(seen / 2),
    packetsDown: Math.floor(seen / 2),
    bytesUp: 1,
    bytesDown: 1,
    endReason: 'fin',
    clientHelloBytes: 200,
    serverHelloBytes: 100,
    cipherSuites: null,
    chosenCipher: null,
    software: null,
    ...packets,
    handshakeBytes: handshake,
    handshakeEarly: null,
    handshakeEarlyPackets: new Uint8Array(Uint16Array.of(4).buffer),
    ...lookColumns(packets, OPTIONS.looks, PAPER_RULE),
  };
}
