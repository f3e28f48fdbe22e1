// A flow -> the tensors of its row: packets, handshake as it looked when, looks. And back: a row -> the packets that features
// are made of. Whoever writes rows (captures, imports, the edge) and whoever reads them comes through here.

import type { FeatureSpec, Features, PacketSource } from '../features/features.ts';
import { PAPER_PACKETS, writeHandshake, writePackets } from '../features/features.ts';
import type { PacketRule } from '../features/packet-rule.ts';
import { SERIES_CHANNELS, SERIES_STEPS_MAX } from '../features/shapes.ts';
import { STATISTICS, type StatisticName } from '../features/statistics-table.ts';
import { segmentArrivals } from '../flow/cut-record.ts';
import { emptyPacket, type FlowRecord, type SeriesPacket } from '../flow/flow-record.ts';
import { PACKET_MARKS } from '../flow/record-layout.ts';
import type { OcclusionOptions } from '../handshake/canary.ts';
import { type Handshake, handshakeOfSegments } from '../handshake/handshake.ts';
import {
  type DatasetRow,
  HANDSHAKE_SIZE,
  type LookName,
  lookName,
} from './dataset-schema.ts';
import { littleEndian } from './parquet-file.ts';

/** The columns that hold packets. */
export type PacketColumns = Pick<
  DatasetRow,
  | 'seen'
  | 'timesNs'
  | 'ipLengths'
  | 'payloadLengths'
  | 'tcpFlags'
  | 'marks'
  | 'initialWindowUp'
  | 'initialWindowDown'
>;
/** The columns that hold the handshake. */
export type HandshakeColumns = Pick<
  DatasetRow,
  'handshakeBytes' | 'handshakeEarly' | 'handshakeEarlyPackets'
>;
/** What can be read again as packets. */
export type PacketRow = PacketColumns & Pick<DatasetRow, 'protocol'>;

/** All of a record's packets. */
export function packetColumns(flow: FlowRecord): PacketColumns {
  const seen = flow.seriesPackets;
  const timesNs = new Float64Array(seen);
  const ipLengths = new Uint16Array(seen);
  const payloadLengths = new Uint16Array(seen);
  const tcpFlags = new Uint8Array(seen);
  const marks = new Uint8Array(seen);
  const packet = emptyPacket();
  for (let i = 0; i < seen; i++) {
    flow.packet(i, packet);
    timesNs[i] = packet.timeNs;
    ipLengths[i] = packet.ipLength;
    payloadLengths[i] = packet.payloadLength;
    tcpFlags[i] = packet.tcpFlags;
    marks[i] = marksOf(packet);
  }
  const { up, down } = flow.initialWindow;
  return {
    seen,
    timesNs: littleEndian(timesNs),
    ipLengths: littleEndian(ipLengths),
    payloadLengths: littleEndian(payloadLengths),
    tcpFlags,
    marks,
    initialWindowUp: up,
    initialWindowDown: down,
  };
}

function marksOf({
  direction,
  behind,
}: Pick<SeriesPacket, 'direction' | 'behind'>): number {
  return (direction === -1 ? PACKET_MARKS.down : 0) | (behind ? PACKET_MARKS.behind : 0);
}

/** In `handshakeEarlyPackets`: with none of the stored packets. */
const NEVER = 0xffff;

/**
 * The hellos, occluded, and how they looked on the way: a look after any number of packets is that of the record cut there.
 *
 * @param handshake of the whole flow
 */
export function handshakeColumns(
  flow: FlowRecord,
  handshake: Handshake,
  occlusion: OcclusionOptions,
): HandshakeColumns {
  const whole = occluded(handshake, occlusion);
  const versions: Uint8Array[] = [];
  const froms: number[] = [];
  let last = new Uint8Array(HANDSHAKE_SIZE);
  let before: Pick<Handshake, 'hellos'> = { hellos: [] };
  const segments = [...flow.segments()];
  const arrivals = segmentArrivals(flow);
  for (const packets of inOrder(arrivals)) {
    // What cutRecord would leave, without copying it.
    const came = segments.filter((_, i) => (arrivals[i] ?? NEVER) <= packets);
    const seen = handshakeOfSegments(flow, came);
    // Most payload changes no hello: then nothing has to be occluded.
    if (sameHellos(seen, before)) continue;
    before = seen;
    const look = occluded(seen, occlusion);
    if (Buffer.compare(look, last) === 0) continue;
    versions.push(look);
    froms.push(packets);
    last = look;
  }
  // What is seen at the end is what stands in handshakeBytes; unless payload came behind the stored packets.
  if (Buffer.compare(last, whole) === 0) versions.pop();
  else froms.push(NEVER);
  return {
    handshakeBytes: whole,
    handshakeEarly: versions.length === 0 ? null : Buffer.concat(versions),
    handshakeEarlyPackets:
      froms.length === 0 ? null : littleEndian(Uint16Array.from(froms)),
  };
}

/** Whether the same messages are there: what is written of them is made of nothing else. */
function sameHellos(a: Pick<Handshake, 'hellos'>, b: Pick<Handshake, 'hellos'>): boolean {
  if (a.hellos.length !== b.hellos.length) return false;
  return a.hellos.every((hello, i) => {
    const other = b.hellos[i];
    if (other === undefined || other.kind !== hello.kind) return false;
    return Buffer.compare(hello.message, other.message) === 0;
  });
}

/** Numbers of packets after which there is payload that was not there before. */
function inOrder(arrivals: readonly number[]): number[] {
  return [...new Set(arrivals.filter(Number.isFinite))].sort((a, b) => a - b);
}

function occluded(
  handshake: Handshake,
  occlusion: OcclusionOptions,
): Uint8Array<ArrayBuffer> {
  const into = new Uint8Array(HANDSHAKE_SIZE);
  writeHandshake(handshake, occlusion, into);
  return into;
}

/** The columns of a flow that has no hellos. */
export const NO_HANDSHAKE_COLUMNS: HandshakeColumns = {
  handshakeBytes: new Uint8Array(HANDSHAKE_SIZE),
  handshakeEarly: null,
  handshakeEarlyPackets: null,
};

/** Room for a series that nobody reads. */
const anySeries = new Float32Array(SERIES_STEPS_MAX * SERIES_CHANNELS);

/**
 * Statistics after each number of packets of `looks`, and of all stored ones.
 *
 * @param counted the packets that the source holds: all of a capture's
 */
export function lookColumns(
  row: PacketRow,
  looks: readonly number[],
  counted: PacketRule,
): { readonly [L in LookName]?: Uint8Array } {
  const columns: { [L in LookName]?: Uint8Array } = {};
  for (const packets of [...looks, undefined]) {
    const statistics = new Float64Array(STATISTICS.length);
    const spec = { ...PAPER_PACKETS, counted, packets: packets ?? SERIES_STEPS_MAX };
    writePackets(packetSourceOf(row), spec, anySeries, statistics);
    leaveOutUnknown(row, statistics);
    columns[lookName(packets)] = littleEndian(statistics);
  }
  return columns;
}

/**
 * A row's packets as features read them. What the source does not know is NaN, flags are 0; such a row is for packet rules
 * only that its source declares (dataset.json).
 *
 * @param cut the flow as it was after so many packets; undefined: all that are stored
 */
export function packetSourceOf(row: PacketRow, cut?: number): PacketSource {
  const { seen, protocol, tcpFlags, marks } = row;
  const timesNs = new Float64Array(aligned(row.timesNs));
  const ipLengths = numbersOf(row.ipLengths);
  const payloadLengths = numbersOf(row.payloadLengths);
  const transport = protocol === 'tcp' ? 'tcp' : 'udp';
  return {
    seriesPackets: Math.min(seen, cut ?? seen),
    transport,
    initialWindow: {
      up: row.initialWindowUp ?? Number.NaN,
      down: row.initialWindowDown ?? Number.NaN,
    },
    packet(i, into) {
      const mark = marks[i] ?? 0;
      into.timeNs = timesNs[i] ?? 0;
      into.ipLength = ipLengths?.[i] ?? Number.NaN;
      into.payloadLength = payloadLengths?.[i] ?? Number.NaN;
      into.tcpFlags = tcpFlags?.[i] ?? 0;
      into.direction = (mark & PACKET_MARKS.down) === 0 ? 1 : -1;
      into.behind = (mark & PACKET_MARKS.behind) !== 0;
    },
  };
}

function numbersOf(bytes: Uint8Array | null): Uint16Array | undefined {
  return bytes === null ? undefined : new Uint16Array(aligned(bytes));
}

/** Memory of its own, so that numbers of any width may be read from its start. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** The handshake bytes after `cut` packets; undefined: of the whole flow. */
function handshakeBytesOf(row: HandshakeColumns, cut?: number): Uint8Array {
  const { handshakeBytes, handshakeEarly, handshakeEarlyPackets } = row;
  if (cut === undefined) return handshakeBytes;
  const froms = handshakeEarlyPackets === null ? [] : numbersOf(handshakeEarlyPackets);
  let look: Uint8Array = NO_HANDSHAKE_COLUMNS.handshakeBytes;
  for (const [k, from] of (froms ?? []).entries()) {
    // Nothing that was not within the stored packets is seen by counting them.
    if (from > cut || from === NEVER) break;
    const start = k * HANDSHAKE_SIZE;
    const early = handshakeEarly?.subarray(start, start + HANDSHAKE_SIZE);
    look = early !== undefined && early.byteLength > 0 ? early : handshakeBytes;
  }
  return look;
}

/** A look at a flow that is not all of it as it was. */
export interface Look {
  /** The flow as it was after so many packets. */
  readonly cut?: number | undefined;
  /** Its packets changed, as training changes them; unless given, they are the row's. */
  readonly source?: PacketSource | undefined;
  /** The handshake was not seen. */
  readonly handshakeMissing?: boolean | undefined;
}

/**
 * What `featuresOf` gives of the flow; with a number of the flow of the flow as it was after so many packets. The data set's occlusion
 * has to be that of the spec, and its sources have to hold what the spec counts: `checkSpec` of dataset-reader.ts.
 */
export function featuresOfRow(
  row: PacketRow & HandshakeColumns,
  spec: Omit<FeatureSpec, 'occlusion'>,
  look: number | Look = {},
): Features {
  const { cut, source, handshakeMissing } =
    typeof look === 'number' ? { cut: look } : look;
  const features = {
    handshakeBytes:
      handshakeMissing === true
        ? new Uint8Array(HANDSHAKE_SIZE)
        : handshakeBytesOf(row, cut).slice(),
    series: new Float32Array(spec.seriesSteps * SERIES_CHANNELS),
    statistics: new Float64Array(STATISTICS.length),
  };
  const packets = source ?? packetSourceOf(row, cut);
  writePackets(packets, spec, features.series, features.statistics);
  leaveOutUnknown(row, features.statistics);
  return features;
}

/** Of these nothing is known where flags are not. */
const OF_FLAGS: readonly StatisticName[] = [
  'finPackets',
  'synPackets',
  'rstPackets',
  'pshPackets',
  'ackPackets',
  'urgPackets',
  'cwrPackets',
  'ecePackets',
  'pshPacketsUp',
  'pshPacketsDown',
  'urgPacketsUp',
  'urgPacketsDown',
];

function leaveOutUnknown({ tcpFlags }: PacketRow, statistics: Float64Array): void {
  if (tcpFlags !== null) return;
  for (const name of OF_FLAGS) statistics[STATISTICS.indexOf(name)] = Number.NaN;
}

/** A row's ready-made look: float64 [S], raw. */
export function statisticsOf(bytes: Uint8Array): Float64Array {
  return new Float64Array(aligned(bytes));
}
