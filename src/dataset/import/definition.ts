// What a data set's sizes and packets are, and how a flow of a set that means something else by them is turned into that:
// exactly, by an estimate, or not at all.

import { InputError } from '../../errors.ts';
import { PAPER_RULE, PAYLOAD_RULE, type PacketRule } from '../../features/packet-rule.ts';
import type { Conversion } from '../pooling.ts';
import {
  ETHERNET_BYTES,
  type Headers,
  headersOf,
  PADDED_FRAME_BYTES,
  type SizeMeaning,
} from './headers.ts';
import { type ImportedFlow, SIZE_MAX } from './imported-flow.ts';

/** The definitions that a data set may be of. */
export const DEFINITIONS = {
  /** Every packet, by its length from the IP header on. */
  ip: PAPER_RULE,
  /** Packets with payload, each once, by the same length. */
  'ip-payload': { kinds: 'payload', repeats: false, length: 'ip' },
  /** Packets with payload, each once, by the length of the payload. */
  payload: PAYLOAD_RULE,
} as const satisfies Record<string, PacketRule>;
export type DefinitionName = keyof typeof DEFINITIONS;
export const DEFINITION_NAMES: readonly DefinitionName[] = [
  'ip',
  'ip-payload',
  'payload',
];

/** What a set means by a packet and its size. */
export interface Meaning {
  readonly name: string;
  readonly size: SizeMeaning;
  readonly kinds: PacketRule['kinds'];
  readonly repeats: boolean;
  /** Of all its flows; undefined: of each its own. */
  readonly protocol?: 'tcp' | 'udp' | undefined;
}

/** The definition that costs a set least. */
export function nearest({ size, kinds }: Meaning): DefinitionName {
  if (kinds === 'all') return size === 'payload' ? 'payload' : 'ip';
  return size === 'payload' ? 'payload' : 'ip-payload';
}

/** @throws InputError ERR_IMPORT the set has left out packets that the definition counts */
export function checkDefinition(meaning: Meaning, wanted: DefinitionName): void {
  const { name, kinds, repeats, protocol } = meaning;
  const whole = kinds === 'all' && repeats;
  // Of UDP nothing is sent without payload, and nothing tells what is sent again.
  if (whole || protocol === 'udp' || wanted !== 'ip') return;
  throw new InputError(
    'ERR_IMPORT',
    `${name} left out packets, so it cannot be had as ip, which is every packet: give --as ${nearest(meaning)}`,
  );
}

export interface Converted {
  readonly protocol: 'tcp' | 'udp';
  readonly conversion: Conversion;
  readonly timesNs: Float64Array;
  /** undefined: of no use to the definition, and not known as well as what is. */
  readonly ipLengths: Uint16Array | undefined;
  readonly payloadLengths: Uint16Array | undefined;
  /** 1: server to client. */
  readonly down: Uint8Array;
}

/** @returns undefined: no packet of the flow counts */
export function convert(
  flow: ImportedFlow,
  meaning: Meaning,
  wanted: DefinitionName,
): Converted | undefined {
  const protocol = flow.protocol ?? meaning.protocol;
  const headers = headersOf({ ...flow, protocol }, meaning.size);
  const rule: PacketRule = DEFINITIONS[wanted];
  const sure = isSure(meaning, rule, headers);
  const bytes = Array.from(flow.sizes, Math.abs);
  const payloads = bytes.map((size) => payloadOf(size, meaning.size, headers));
  const kept = [...bytes.keys()].filter(
    (i) => rule.kinds === 'all' || (payloads[i] ?? 0) > 0,
  );
  const [first] = kept;
  if (first === undefined) return undefined;
  const startNs = flow.timesNs[first] ?? 0;
  const padded =
    meaning.size === 'frame' && kept.some((i) => bytes[i] === PADDED_FRAME_BYTES);
  const same = meaning.size === rule.length && kept.length === bytes.length;
  const lengths = (of: (i: number) => number): Uint16Array =>
    Uint16Array.from(kept, (i) => Math.min(SIZE_MAX, of(i)));
  return {
    protocol: headers.protocol,
    conversion: !sure || padded ? 'estimated' : same ? 'none' : 'exact',
    timesNs: Float64Array.from(kept, (i) =>
      Math.max(0, (flow.timesNs[i] ?? 0) - startNs),
    ),
    ipLengths:
      rule.length === 'ip'
        ? lengths((i) => ipOf(bytes[i] ?? 0, meaning.size, headers))
        : undefined,
    // Which packets count is told by it.
    payloadLengths:
      rule.kinds === 'payload' ? lengths((i) => payloads[i] ?? 0) : undefined,
    down: Uint8Array.from(kept, (i) => Number((flow.sizes[i] ?? 0) < 0)),
  };
}

/** Which lengths rows of the definition hold, as dataset.json says it. */
export function heldLengths(wanted: DefinitionName): 'ip' | 'payload' | 'both' {
  const rule: PacketRule = DEFINITIONS[wanted];
  if (rule.length === 'payload') return 'payload';
  return rule.kinds === 'payload' ? 'both' : 'ip';
}

/** Whether nothing of the conversion is a guess, but for padding. */
function isSure(
  { size, kinds, repeats }: Meaning,
  rule: PacketRule,
  headers: Headers,
): boolean {
  const tcp = headers.protocol === 'tcp';
  // Frames and IP lengths differ by Ethernet's header, whatever the flow is.
  const lengths =
    size === rule.length || (size === 'frame' && rule.length === 'ip') || headers.exact;
  // What was sent again stays in: no series tells it.
  const packets = !tcp || (kinds === rule.kinds && repeats === rule.repeats);
  return lengths && packets;
}

function ipOf(size: number, meaning: SizeMeaning, headers: Headers): number {
  if (meaning === 'ip') return size;
  return meaning === 'frame' ? Math.max(0, size - ETHERNET_BYTES) : size + headers.bytes;
}

function payloadOf(size: number, meaning: SizeMeaning, headers: Headers): number {
  if (meaning === 'payload') return size;
  const link = meaning === 'frame' ? ETHERNET_BYTES : 0;
  return Math.max(0, size - link - headers.bytes);
}
