// Packets of flows for tests: a conversation, and any.

import fc from 'fast-check';
import type { TestPacket } from './records.ts';

const MS = 1_000_000;

/** SYN, SYN-ACK, a request, a full packet and the end of the answer. */
export const CONVERSATION: readonly TestPacket[] = [
  { timeNs: 0, ipLength: 60, payloadLength: 0, tcpFlags: 2, direction: 1 },
  { timeNs: 10 * MS, ipLength: 60, payloadLength: 0, tcpFlags: 18, direction: -1 },
  { timeNs: 11 * MS, ipLength: 557, payloadLength: 505, tcpFlags: 24, direction: 1 },
  { timeNs: 31 * MS, ipLength: 1500, payloadLength: 1448, tcpFlags: 16, direction: -1 },
  { timeNs: 32 * MS, ipLength: 152, payloadLength: 100, tcpFlags: 25, direction: -1 },
];

const anyPacket: fc.Arbitrary<TestPacket> = fc.record({
  timeNs: fc.nat(60_000 * MS),
  ipLength: fc.integer({ min: 20, max: 65_535 }),
  payloadLength: fc.oneof(fc.constant(0), fc.nat(65_495)),
  tcpFlags: fc.nat(255),
  direction: fc.constantFrom<1 | -1>(1, -1),
  behind: fc.boolean(),
});

/** One to forty, stamps in any order, lengths that need not fit. */
export const anyPackets: fc.Arbitrary<TestPacket[]> = fc.array(anyPacket, {
  minLength: 1,
  maxLength: 40,
});

/** The same, stamps in order: gaps from nothing to ten seconds. */
export const orderedPackets: fc.Arbitrary<TestPacket[]> = fc
  .array(fc.tuple(anyPacket, fc.oneof(fc.nat(3 * MS), fc.nat(10_000 * MS))), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) => {
    let timeNs = 0;
    return list.map(([packet, gapNs], i) => {
      timeNs += i === 0 ? 0 : gapNs;
      return { ...packet, timeNs };
    });
  });
