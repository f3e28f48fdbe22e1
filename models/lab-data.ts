// The lab's captures and their labels -> labelled flows, by the very path that serves: flow table, handshake, features.
// A data set is a directory of `name.pcap.gz` with `name.labels.jsonl` beside it; names sort in the order of time.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FeatureSpec, type Features, featuresOf } from '../src/features/features.ts';
import { cutRecord } from '../src/flow/cut-record.ts';
import type { FlowRecord } from '../src/flow/flow-record.ts';
import { emptySummary, readFlows } from '../src/flow/read-flows.ts';
import { handshakeOf } from '../src/handshake/handshake.ts';
import { isService, SERVICES } from './labels.ts';

/** A flow with the class that is taken as true. */
export interface LabelledFlow {
  /** Index into SERVICES. */
  readonly service: number;
  /** Flows of one activity of one user share it; unique within a capture. */
  readonly session: string;
  /** Packets that the flow has altogether. */
  readonly packets: number;
  /** As the flow looks once it has shown all of its first T packets. */
  readonly features: Features;
  /** As it looks after fewer packets, by their number; missing where the flow has no more than that. */
  readonly cuts: ReadonlyMap<number, Features>;
}

export interface LabelledCapture {
  readonly name: string;
  readonly flows: readonly LabelledFlow[];
  /** Labels whose flow the capture does not hold. */
  readonly unmatched: number;
}

export interface LabData {
  /** In the order of time. */
  readonly captures: readonly LabelledCapture[];
  /** Over names and bytes of all files. */
  readonly sha256: string;
}

export interface LabDataOptions {
  readonly spec: FeatureSpec;
  /** Early looks at each flow, in packets. */
  readonly cuts: readonly number[];
  /** Told of each capture when it has been read. */
  readonly onCapture?: (capture: LabelledCapture) => void;
}

const CAPTURE_SUFFIX = '.pcap.gz';
const LABELS_SUFFIX = '.labels.jsonl';
/** Two flows on one five-tuple lie further apart; clocks of label and capture are the same. */
const SAME_FLOW_US = 1_000_000;

/** The captures of a data set, sorted by name. */
async function captureNames(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((cause: Error) => {
    throw new Error(`data set "${directory}" cannot be read; expected a directory`, {
      cause,
    });
  });
  const captures = names.filter((name) => name.endsWith(CAPTURE_SUFFIX)).sort();
  if (captures.length === 0) {
    throw new Error(`data set "${directory}" holds no *${CAPTURE_SUFFIX}`);
  }
  return captures.map((name) => basename(name, CAPTURE_SUFFIX));
}

/** Reads the whole data set into memory: some 4 KB a flow and look. */
export async function readLabData(
  directory: string,
  options: LabDataOptions,
): Promise<LabData> {
  const captures: LabelledCapture[] = [];
  for (const name of await captureNames(directory)) {
    const capture = await readLabelledCapture(directory, name, options);
    captures.push(capture);
    options.onCapture?.(capture);
  }
  return { captures, sha256: await hashOf(directory) };
}

/** One capture of a data set. */
async function readLabelledCapture(
  directory: string,
  name: string,
  options: LabDataOptions,
): Promise<LabelledCapture> {
  const labels = await readLabels(join(directory, `${name}${LABELS_SUFFIX}`));
  const capture = join(directory, `${name}${CAPTURE_SUFFIX}`);
  const flows: LabelledFlow[] = [];
  const wanted = labels.count;
  const table = { seriesPackets: options.spec.packets };
  for await (const batch of readFlows(capture, table, emptySummary())) {
    for (const record of batch) {
      const label = labels.take(record);
      if (label !== undefined) flows.push(labelledFlow(record, label, options));
    }
  }
  return { name, flows, unmatched: wanted - flows.length };
}

function labelledFlow(
  record: FlowRecord,
  label: Label,
  { spec, cuts }: LabDataOptions,
): LabelledFlow {
  const handshake = handshakeOf(record);
  const packets = record.packets.up + record.packets.down;
  const looks = cuts
    .filter((cut) => packets > cut)
    .map((cut) => {
      // With the handshake as far as it had come by then.
      const early = cutRecord(record, cut);
      return [cut, featuresOf(early, handshakeOf(early), spec)] as const;
    });
  return {
    service: label.service,
    session: label.session,
    packets,
    features: featuresOf(record, handshake, spec),
    cuts: new Map(looks),
  };
}

interface Label {
  readonly service: number;
  readonly session: string;
  readonly startUs: number;
}

/** Labels by five-tuple, each given out once. */
class Labels {
  readonly #byFlow = new Map<string, Label[]>();
  count = 0;

  add(key: string, label: Label): void {
    this.count++;
    const labels = this.#byFlow.get(key);
    if (labels === undefined) this.#byFlow.set(key, [label]);
    else labels.push(label);
  }

  take(flow: FlowRecord): Label | undefined {
    const labels = this.#byFlow.get(
      keyOf(flow.client, flow.clientPort, flow.server, flow.serverPort),
    );
    const start = flow.startUs;
    const at =
      labels?.findIndex((l) => Math.abs(l.startUs - start) <= SAME_FLOW_US) ?? -1;
    return at < 0 ? undefined : labels?.splice(at, 1)[0];
  }
}

function keyOf(client: string, clientPort: number, server: string, port: number): string {
  return `${client} ${clientPort} ${server} ${port}`;
}

interface LabelLine {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly startUs: number;
  readonly service: string;
  readonly session: string;
}

async function readLabels(file: string): Promise<Labels> {
  const labels = new Labels();
  const lines = (await readFile(file, 'utf8')).split('\n');
  for (const [i, text] of lines.entries()) {
    if (text === '') continue;
    const line: LabelLine = JSON.parse(text);
    if (!isService(line.service)) {
      throw new Error(
        `${file} line ${i + 1}: service "${line.service}", expected one of ${SERVICES.join(', ')}`,
      );
    }
    labels.add(keyOf(line.client, line.clientPort, line.server, line.serverPort), {
      service: SERVICES.indexOf(line.service),
      session: line.session,
      startUs: line.startUs,
    });
  }
  return labels;
}

/** What the data set is: SHA-256 over each file's name and bytes, sorted by name. */
async function hashOf(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of await captureNames(directory)) {
    for (const file of [`${name}${CAPTURE_SUFFIX}`, `${name}${LABELS_SUFFIX}`]) {
      const bytes = await readFile(join(directory, file));
      hash.update(`${file} ${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest('hex');
}

/** Training, validation and test flows. */
export interface Split {
  readonly train: readonly LabelledCapture[];
  readonly validation: readonly LabelledCapture[];
  readonly test: readonly LabelledCapture[];
}

/** Shares of the captures; of each one at least. */
const TEST_SHARE = 0.2;
const VALIDATION_SHARE = 0.15;

/**
 * Whole captures, in the order of time: the last ones are the test, those before validate, the rest trains. Never by
 * flow: near-identical flows of one session would stand on both sides.
 */
export function splitByCapture(captures: readonly LabelledCapture[]): Split {
  const share = (part: number) => Math.max(1, Math.round(part * captures.length));
  const tests = share(TEST_SHARE);
  const seen = captures.length - tests;
  const trains = seen - share(VALIDATION_SHARE);
  if (trains < 1) {
    throw new Error(
      `a split wants at least 3 captures, the data set has ${captures.length}`,
    );
  }
  return {
    train: captures.slice(0, trains),
    validation: captures.slice(trains, seen),
    test: captures.slice(seen),
  };
}

/** The flows of several captures. */
export function flowsOf(captures: readonly LabelledCapture[]): LabelledFlow[] {
  return captures.flatMap(({ flows }) => flows);
}
