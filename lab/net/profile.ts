// Access lines: profiles.yaml -> what one seat's line is like.

import { z } from 'zod';
import type { Draw } from '../draw.ts';
import { drawFigure, FIGURE } from '../scenario/figure.ts';
import { readYaml } from '../scenario/load.ts';

const share = z.number().min(0).max(1);
const WAY = z.strictObject({
  delayMs: FIGURE,
  jitterMs: FIGURE,
  jitterHoldMs: FIGURE,
  rateMbit: FIGURE,
  queueMs: FIGURE,
  loss: FIGURE,
  /** Chances a packet that a burst of losses begins and ends, and its losses. */
  burst: z.strictObject({ enter: share, leave: share, loss: share }).optional(),
});

const PROFILES = z.strictObject({
  version: z.literal(1),
  profiles: z.record(
    z.string().regex(/^[a-z-]+$/),
    z.strictObject({ mtu: FIGURE, up: WAY, down: WAY }),
  ),
});
export type Profiles = z.infer<typeof PROFILES>['profiles'];

/** One direction of a line, in the units of the emulator's settings (emulator/src/settings.hpp). */
export interface LineWay {
  readonly delay_us: number;
  readonly jitter_us: number;
  readonly jitter_hold_us: number;
  readonly rate_kbps: number;
  readonly queue_bytes: number;
  readonly loss: number;
  readonly burst_enter: number;
  readonly burst_leave: number;
  readonly burst_loss: number;
}

export interface Line {
  readonly profile: string;
  readonly mtu: number;
  readonly up: LineWay;
  readonly down: LineWay;
}

/** A queue that cannot hold a few packets would stall what is slow already. */
const QUEUE_BYTES_LEAST = 15_000;

/** @throws InputError ERR_LAB_PROFILES. */
export function loadProfiles(path: string): Profiles {
  return readYaml(path, PROFILES, 'ERR_LAB_PROFILES').profiles;
}

export function drawLine(profiles: Profiles, name: string, draw: Draw): Line {
  const profile = profiles[name];
  if (profile === undefined) throw new RangeError(`no network profile "${name}"`);
  return {
    profile: name,
    mtu: drawFigure(profile.mtu, draw),
    up: drawWay(profile.up, draw),
    down: drawWay(profile.down, draw),
  };
}

function drawWay(way: z.infer<typeof WAY>, draw: Draw): LineWay {
  const us = (figure: z.infer<typeof FIGURE>): number =>
    Math.round(drawFigure(figure, draw) * 1000);
  const rate = us(way.rateMbit);
  const queueMs = drawFigure(way.queueMs, draw);
  return {
    delay_us: us(way.delayMs),
    jitter_us: us(way.jitterMs),
    jitter_hold_us: us(way.jitterHoldMs),
    rate_kbps: rate,
    // kbit/s times ms are bits.
    queue_bytes: Math.max(QUEUE_BYTES_LEAST, Math.round((rate * queueMs) / 8)),
    loss: Number(drawFigure(way.loss, draw).toFixed(6)),
    burst_enter: way.burst?.enter ?? 0,
    burst_leave: way.burst?.leave ?? 1,
    burst_loss: way.burst?.loss ?? 0,
  };
}
