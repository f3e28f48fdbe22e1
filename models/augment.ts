// A training flow as other networks, other clients and other moments would have shown it: so that a model lasts. Each change is
// a switch of its own; a change of 0 share is off, and all are off by default. Features and statistics are made of the changed
// packets by the very code that serves (features.ts).

import { z } from 'zod';
import type { PacketSource } from '../src/features/features.ts';
import { EARLY_PACKETS } from '../src/features/shapes.ts';
import {
  jitter,
  lose,
  type Packets,
  packetsOf,
  resize,
  sourceOf,
  stretch,
} from './augment-packets.ts';
import { type Random, seededRandom } from './random.ts';

/** Of the flows, those that a change is made to. */
const share = z
  .number()
  .min(0)
  .max(1)
  .default(0)
  .describe('of the flows, those that this change is made to; 0: off');

export const augmentationSchema = z
  .strictObject({
    /** All times by one factor, drawn between 1/factor and factor. */
    timeStretch: z
      .strictObject({
        share,
        factor: z
          .number()
          .min(1)
          .max(100)
          .default(2)
          .describe('all times by one factor between 1/factor and this'),
      })
      .prefault({}),
    /** Each packet late by a time of its own. */
    jitter: z
      .strictObject({
        share,
        meanMs: z
          .number()
          .min(0)
          .max(1000)
          .default(2)
          .describe('each packet late by a time of its own, with this mean'),
      })
      .prefault({}),
    /** Packets lost at `rate`; over TCP they are sent again. */
    loss: z
      .strictObject({
        share,
        rate: z
          .number()
          .min(0)
          .max(0.5)
          .default(0.02)
          .describe('packets lost; over TCP they are sent again'),
      })
      .prefault({}),
    /** Some packets larger or smaller by up to `bytes`. */
    sizeNoise: z
      .strictObject({
        share,
        packetShare: z
          .number()
          .min(0)
          .max(1)
          .default(0.15)
          .describe('of the packets, those that get larger or smaller'),
        bytes: z
          .number()
          .int()
          .min(1)
          .max(256)
          .default(16)
          .describe('by as many bytes at most'),
      })
      .prefault({}),
    /** The flow as it was after one of these numbers of packets. */
    cut: z
      .strictObject({
        share,
        packets: z
          .array(z.number().int().min(1))
          .min(1)
          .default([...EARLY_PACKETS]),
      })
      .prefault({}),
    /** The handshake was not seen: a capture that began in the middle, a resumed connection, a parser that gave up. */
    missingHandshake: z.strictObject({ share }).prefault({}),
  })
  .prefault({});

export type Augmentation = z.infer<typeof augmentationSchema>;

export interface Augmented {
  /** The packets that are left, for `writePackets`. */
  readonly source: PacketSource;
  /**
   * Packets that had been seen when the flow was looked at, Infinity if it is whole: handshake bytes have to be those of
   * that moment.
   */
  readonly lookedAfter: number;
  /** The model sees no handshake bytes, whatever there were. */
  readonly handshakeMissing: boolean;
}

/** Random numbers of one look at one flow: the same seed, epoch and flow give the same look in whatever order flows come. */
export function lookRandom(seed: number, epoch: number, flow: number): Random {
  const mixed = Math.imul(seed ^ Math.imul(epoch + 1, 0x9e3779b1), 0x85ebca6b);
  return seededRandom(mixed ^ Math.imul(flow + 1, 0xc2b2ae35));
}

/** One look at a flow. What is given is left as it is. */
export function augment(
  source: PacketSource,
  options: Augmentation,
  random: Random,
): Augmented {
  // A number is drawn for each switch, on or off: turning one leaves the others' draws alone.
  const happens = ({ share }: { readonly share: number }) => random() < share;
  const changes = {
    loss: happens(options.loss),
    timeStretch: happens(options.timeStretch),
    jitter: happens(options.jitter),
    sizeNoise: happens(options.sizeNoise),
    cut: happens(options.cut),
    missingHandshake: happens(options.missingHandshake),
  };
  const chosen = options.cut.packets[Math.floor(random() * options.cut.packets.length)];
  const lookedAfter = changes.cut
    ? (chosen ?? Number.POSITIVE_INFINITY)
    : Number.POSITIVE_INFINITY;
  let packets: Packets = packetsOf(source);
  if (changes.sizeNoise) {
    const { packetShare, bytes } = options.sizeNoise;
    packets = resize(packets, packetShare, bytes, random);
  }
  if (changes.loss) packets = lose(packets, source.transport, options.loss.rate, random);
  if (changes.timeStretch) {
    // As often faster as slower.
    packets = stretch(packets, options.timeStretch.factor ** (2 * random() - 1));
  }
  if (changes.jitter) packets = jitter(packets, options.jitter.meanMs * 1e6, random);
  return {
    source: sourceOf(packets.slice(0, lookedAfter), source),
    lookedAfter,
    handshakeMissing: changes.missingHandshake,
  };
}
