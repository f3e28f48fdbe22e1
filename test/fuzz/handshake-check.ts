// What has to hold of the handshake of any flow, whatever its bytes.

import { featuresOf, PAPER_PACKETS } from '../../src/features/features.ts';
import type { FlowRecord } from '../../src/flow/flow-record.ts';
import { factsOf } from '../../src/handshake/facts.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { parseHello } from '../../src/handshake/hello.ts';
import { occlude } from '../../src/handshake/occlusion.ts';
import type { Stretch } from '../../src/handshake/occlusion-walk.ts';

const SPEC = {
  ...PAPER_PACKETS,
  seriesSteps: 8,
  packets: 8,
  occlusion: { shown: [] },
} as const;
const HELLOS_MAX = 5;
const OPENINGS_MAX = 48;

/** Throws where something does not hold. Gives how many hellos were found. */
export function checkHandshake(flow: FlowRecord): number {
  const handshake = handshakeOf(flow);
  factsOf(handshake);
  const { hellos, quic } = handshake;
  must(hellos.length <= HELLOS_MAX, 'too many hellos');
  must((quic?.openings ?? 0) <= OPENINGS_MAX, 'too many packets opened');
  featuresOf(flow, handshake, SPEC);
  for (const hello of hellos) {
    const { message } = hello;
    must(message.byteLength <= flow.recordBytes + 4, 'a hello longer than its flow');
    const into = new Uint8Array(message.byteLength + 64);
    const stretches: Stretch[] = [];
    const total = occlude(hello, SPEC.occlusion, into, stretches);
    must(total <= into.byteLength, 'more is seen than there was');
    const end = stretches.reduce((at, { from, to }) => {
      must(from === at && to >= from, 'stretches leave a gap');
      return to;
    }, 0);
    must(end === message.byteLength, 'stretches end early');
    if (hello.kind === 'chlo') continue;
    const seen = into.subarray(0, total);
    const length = Buffer.from(seen).readUIntBE(1, 3);
    must(length === total - 4, 'a length that does not fit');
    const again = parseHello({ type: seen[0] ?? 0, length, bytes: seen });
    must(again !== undefined, 'what is seen is no hello');
    if (again === undefined) continue;
    const twice = new Uint8Array(total + 64);
    const same = occlude(again, SPEC.occlusion, twice) === total;
    must(same && Buffer.compare(twice.subarray(0, total), seen) === 0, 'not idempotent');
  }
  return hellos.length;
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
