// A capture as tshark counts it: packets, IP bytes and first packet time of each five-tuple.

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Both directions of a five-tuple together. */
export interface Totals {
  readonly packets: number;
  /** From the IP header on. */
  readonly bytes: number;
  /** Of the first packet in the file, since the epoch. */
  readonly firstUs: number;
  readonly payloadBytes: number;
}

/** One text for both directions. */
export function tupleKey(
  protocol: string,
  a: readonly [address: string, port: number],
  b: readonly [address: string, port: number],
): string {
  return [protocol, ...[a.join(' '), b.join(' ')].sort()].join(' ');
}

/** What `tshark --version` names; undefined when there is none. */
export function tsharkVersion(): string | undefined {
  try {
    const said = execFileSync('tshark', ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /TShark.*?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? 'unknown';
  } catch {
    return undefined;
  }
}

/** Fragments count as they come, TCP is not put together: neither changes what is counted, both cost time. */
const SETTINGS = [
  'ip.defragment:FALSE',
  'ipv6.defragment:FALSE',
  'tcp.desegment_tcp_streams:FALSE',
  'tcp.analyze_sequence_numbers:FALSE',
  'tcp.calculate_timestamps:FALSE',
];
const FIELDS = [
  'frame.time_epoch',
  'frame.protocols',
  'ip.src',
  'ip.dst',
  'ip.len',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.plen',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.len',
  'tcp.flags',
  'tcp.window_size_value',
  'tcp.seq_raw',
  'udp.srcport',
  'udp.dstport',
  'udp.length',
] as const;
type Field = (typeof FIELDS)[number];

/** Values of a field in one frame: one for each header that has it, the outermost first. */
type FieldValues = (field: Field, i: number) => string;

/** Runs tshark over a capture: packets by five-tuple. A file that breaks off is read as far as it goes. */
export async function packetsByTshark(
  path: string,
): Promise<Map<string, TsharkPacket[]>> {
  const settings = SETTINGS.flatMap((setting) => ['-o', setting]);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const layout = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a'];
  const child = spawn('tshark', ['-r', path, '-n', ...settings, ...layout, ...fields], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const packets = new Map<string, TsharkPacket[]>();
  for await (const line of createInterface({ input: child.stdout })) {
    const cells = line.split('\t').map((cell) => cell.split(','));
    const packet = packetOf((field, i) => cells[FIELDS.indexOf(field)]?.[i] ?? '');
    if (packet === undefined) continue;
    const own = packets.get(packet.key);
    if (own === undefined) packets.set(packet.key, [packet]);
    else own.push(packet);
  }
  return packets;
}

/** Totals of each five-tuple. */
export function totalsOf(
  packets: ReadonlyMap<string, readonly TsharkPacket[]>,
): Map<string, Totals> {
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return new Map(
    Array.from(packets, ([key, own]) => [
      key,
      {
        packets: own.length,
        bytes: sum(own.map(({ bytes }) => bytes)),
        payloadBytes: sum(own.map(({ payloadBytes }) => payloadBytes)),
        firstUs: micros(own[0]?.epoch ?? ''),
      },
    ]),
  );
}

/** "1.000000500" -> 1000000; stamps may be finer than the flow's start is told. */
function micros(epoch: string): number {
  const [seconds = '', fraction = ''] = epoch.split('.');
  return Number(seconds) * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

export interface TsharkPacket {
  /** Of both directions: tupleKey. */
  readonly key: string;
  /** Who sent it: "address port". */
  readonly from: string;
  /** Seconds since the epoch with nine digits behind the point. */
  readonly epoch: string;
  /** From the IP header on. */
  readonly bytes: number;
  readonly payloadBytes: number;
  /** 0 for UDP, like the next two. */
  readonly tcpFlags: number;
  readonly window: number;
  readonly sequence: number;
}

/** Layers between an IP header and the one that it carries: the tunnels that are opened. */
const TUNNELS = new Set(['gre', 'vxlan', 'gtp', 'eth', 'ethertype', 'vlan', 'ppp']);
const EXTENSIONS = /^ipv6\./;

/**
 * Walks the layers from the outside in, to the transport header of the innermost IP header that a tunnel of ours
 * leads to.
 */
function packetOf(values: FieldValues): TsharkPacket | undefined {
  const layers = values('frame.protocols', 0).split(':');
  let ip: { version: 4 | 6; i: number } | undefined;
  let found: TsharkPacket | undefined;
  const seen = { ip: 0, ipv6: 0, udp: 0 };
  for (const layer of layers) {
    if (layer === 'ip') ip = { version: 4, i: seen.ip++ };
    else if (layer === 'ipv6') ip = { version: 6, i: seen.ipv6++ };
    else if (ip === undefined || TUNNELS.has(layer) || EXTENSIONS.test(layer)) continue;
    else if (layer === 'tcp') return counted(values, ip, { transport: 'tcp', i: 0 });
    else if (layer === 'udp') {
      found = counted(values, ip, { transport: 'udp', i: seen.udp++ });
    } else return found;
  }
  return found;
}

function counted(
  values: FieldValues,
  ip: { readonly version: 4 | 6; readonly i: number },
  { transport, i }: { readonly transport: 'tcp' | 'udp'; readonly i: number },
): TsharkPacket {
  const of = ip.version === 4 ? 'ip' : 'ipv6';
  // For a total length of 0 (segmentation offload) tshark gives what the frame leaves for it.
  const length = Number(values(ip.version === 4 ? 'ip.len' : 'ipv6.plen', ip.i));
  const payload = Number(values(transport === 'tcp' ? 'tcp.len' : 'udp.length', i));
  const tcp = (field: Field): number =>
    transport === 'tcp' ? Number(values(field, i)) : 0;
  const source = [
    values(`${of}.src`, ip.i),
    Number(values(`${transport}.srcport`, i)),
  ] as const;
  return {
    key: tupleKey(transport, source, [
      values(`${of}.dst`, ip.i),
      Number(values(`${transport}.dstport`, i)),
    ]),
    from: source.join(' '),
    epoch: values('frame.time_epoch', 0),
    bytes: ip.version === 4 ? length : length + 40,
    payloadBytes: transport === 'tcp' ? payload : Math.max(0, payload - 8),
    tcpFlags: tcp('tcp.flags') & 0xff,
    window: tcp('tcp.window_size_value'),
    sequence: tcp('tcp.seq_raw'),
  };
}
