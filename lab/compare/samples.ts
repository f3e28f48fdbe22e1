// A data set -> what its flows are like, service by service: sizes, times, volumes, each as a weighted sample.

import { SERVICES, type Service } from '../../models/labels.ts';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import { packetSourceOf } from '../../src/dataset/row-tensors.ts';

/** What is compared; each on its own axis. */
export const MEASURES = {
  sizeUp: { title: 'payload up, bytes', log: false, low: 0, high: 1500 },
  sizeDown: { title: 'payload down, bytes', log: false, low: 0, high: 1500 },
  gap: { title: 'between packets, ms', log: true, low: 0.01, high: 10_000 },
  ratio: { title: 'bytes down / up', log: true, low: 0.01, high: 1000 },
  bytes: { title: 'bytes a flow', log: true, low: 1000, high: 100_000_000 },
  duration: { title: 'duration, s', log: true, low: 0.01, high: 1000 },
} as const;
export type Measure = keyof typeof MEASURES;
export const MEASURE_NAMES = Object.keys(MEASURES) as readonly Measure[];

/** Values with weights; a flow weighs 1 in all, so that a long one does not speak for all. */
export interface Sample {
  readonly values: number[];
  readonly weights: number[];
}

interface ServiceSamples {
  flows: number;
  readonly of: Readonly<Record<Measure, Sample>>;
}
export type Samples = ReadonlyMap<Service, ServiceSamples>;

const PACKETS_LEAST = 10;
/** Of a flow's packets: later ones say little more, and real captures are short. */
const PACKETS_MOST = 100;
const COLUMNS = [
  'service',
  'labelSource',
  'protocol',
  'durationUs',
  'packetsUp',
  'packetsDown',
  'bytesUp',
  'bytesDown',
  'seen',
  'timesNs',
  'ipLengths',
  'payloadLengths',
  'tcpFlags',
  'marks',
  'initialWindowUp',
  'initialWindowDown',
] as const;

/** Flows of ten packets or more whose label was acted or comes from a server's own name. */
export async function readSamples(directory: string): Promise<Samples> {
  const samples = new Map(SERVICES.map((service) => [service, emptySamples()]));
  for await (const row of readDataset(directory, { columns: COLUMNS })) {
    const service = samples.get(row.service as Service);
    const named = row.labelSource === 'acted' || row.labelSource === 'name';
    if (service === undefined || !named) continue;
    if (row.packetsUp + row.packetsDown < PACKETS_LEAST) continue;
    service.flows++;
    const { of } = service;
    add(of.bytes, row.bytesUp + row.bytesDown, 1);
    add(of.duration, row.durationUs / 1e6, 1);
    if (row.bytesUp > 0) add(of.ratio, row.bytesDown / row.bytesUp, 1);
    addPackets(of, packetSourceOf(row));
  }
  return samples;
}

function emptySamples(): ServiceSamples {
  const of = Object.fromEntries(
    MEASURE_NAMES.map((name) => [name, { values: [], weights: [] }]),
  ) as unknown as Record<Measure, Sample>;
  return { flows: 0, of };
}

function add(sample: Sample, value: number, weight: number): void {
  sample.values.push(value);
  sample.weights.push(weight);
}

function addPackets(
  of: ServiceSamples['of'],
  source: ReturnType<typeof packetSourceOf>,
): void {
  const packet = {
    timeNs: 0,
    ipLength: 0,
    payloadLength: 0,
    tcpFlags: 0,
    direction: 1 as 1 | -1,
    behind: false,
  };
  const found: Record<'sizeUp' | 'sizeDown' | 'gap', number[]> = {
    sizeUp: [],
    sizeDown: [],
    gap: [],
  };
  let lastNs: number | undefined;
  for (let i = 0; i < Math.min(source.seriesPackets, PACKETS_MOST); i++) {
    source.packet(i, packet);
    // Acknowledgements alone say more of the stack than of the service.
    if (packet.payloadLength === 0) continue;
    (packet.direction === 1 ? found.sizeUp : found.sizeDown).push(packet.payloadLength);
    if (lastNs !== undefined) found.gap.push((packet.timeNs - lastNs) / 1e6);
    lastNs = packet.timeNs;
  }
  for (const name of ['sizeUp', 'sizeDown', 'gap'] as const) {
    for (const value of found[name]) add(of[name], value, 1 / found[name].length);
  }
}

/** Points of a cumulative distribution: a value, and the share of the weight at or below it. */
export function cumulative(sample: Sample): [value: number, share: number][] {
  const order = [...sample.values.keys()].sort(
    (a, b) => (sample.values[a] ?? 0) - (sample.values[b] ?? 0),
  );
  const all = sample.weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return order.map((i) => {
    sum += sample.weights[i] ?? 0;
    return [sample.values[i] ?? 0, sum / all];
  });
}

/** Kolmogorov's and Smirnov's distance, 0 to 1: the largest gap between the two distributions; NaN without values. */
export function distance(a: Sample, b: Sample): number {
  const [one, other] = [cumulative(a), cumulative(b)];
  if (one.length === 0 || other.length === 0) return Number.NaN;
  let [i, j, most, shareA, shareB] = [0, 0, 0, 0, 0];
  while (i < one.length && j < other.length) {
    const value = Math.min(one[i]?.[0] ?? 0, other[j]?.[0] ?? 0);
    for (; i < one.length && one[i]?.[0] === value; i++) shareA = one[i]?.[1] ?? 0;
    for (; j < other.length && other[j]?.[0] === value; j++) shareB = other[j]?.[1] ?? 0;
    most = Math.max(most, Math.abs(shareA - shareB));
  }
  return most;
}
