// Everything of a network that can be turned, as schemas: widths of each branch, dropout, how a packet's size enters. The
// defaults are the paper's (3.2; [F] read off its figure, [?] our reading), unless a network gives its own.

import { z } from 'zod';
import { INPUTS, type InputName } from './network.ts';

const width = z.number().int().min(1).max(4096);
/** Layers of such widths, one behind the other. */
export const widths = z.array(width).min(1).max(8);
const share = z.number().min(0).max(0.95);

const convolution = z.tuple([
  width.describe('filters'),
  z.number().int().min(1).max(64).describe('kernel'),
  z.number().int().min(1).max(16).describe('stride'),
]);

/** Groups of 1-D convolutions with a max-pooling behind each; a dense layer behind them all unless 0. */
export interface Convolutions {
  readonly groups: [filters: number, kernel: number, stride: number][][];
  readonly pool: number;
  readonly dense: number;
}

export function convolutions({ groups, pool, dense }: Convolutions) {
  return z
    .strictObject({
      groups: z.array(z.array(convolution).min(1)).min(1).max(8).default(groups),
      pool: z.number().int().min(1).max(16).default(pool),
      dense: z.number().int().min(0).max(4096).default(dense),
    })
    .prefault({});
}

/** A dense layer at each step (none: 0), a stack of LSTMs, each both ways or forward only. */
export interface Recurrent {
  readonly dense: number;
  readonly units: number[];
  readonly bidirectional: boolean;
}

export function recurrent({ dense, units, bidirectional }: Recurrent) {
  return z
    .strictObject({
      dense: z.number().int().min(0).max(4096).default(dense),
      units: widths.default(units),
      bidirectional: z.boolean().default(bidirectional),
    })
    .prefault({});
}

export interface Dropout {
  /** At the end of each branch. */
  readonly branch: number;
  /** Behind each dense layer of the head. */
  readonly head: number;
}

export function dropout({ branch, head }: Dropout) {
  return z
    .strictObject({ branch: share.default(branch), head: share.default(head) })
    .prefault({});
}

const SIZE_ENTRIES = ['scaled', 'embedded', 'soft-bins'] as const;

/**
 * How a packet's size enters a series branch: one way or several side by side. `scaled` is the paper's number,
 * size / 128. The other two read the exact signed size, so features then write sizes as `signed-bytes`.
 */
export const sizes = z.strictObject({
  entries: z.array(z.enum(SIZE_ENTRIES)).min(1).default(['scaled']),
  /** Sizes beyond ±limit bytes count as ±limit. */
  limit: z.number().int().min(64).max(65_535).default(1500),
  /** `embedded`: numbers a size is turned into. */
  width: width.default(24),
  /** `soft-bins`: bytes from bin to bin; a size between two bins is a mixture of both. */
  binBytes: z.number().int().min(1).max(1024).default(16),
  /** `soft-bins`: numbers a bin is turned into. */
  binWidth: width.default(8),
  /**
   * `embedded`: bytes of a bucket that sizes outside of `ownRows` share. With `ownRows` left out, every size has a row
   * of its own.
   */
  sharedBytes: z.number().int().min(1).max(1024).default(16),
  /** `embedded`: signed sizes with a row of their own: those that training saw often (`network.frequentSizes` of its configuration). */
  ownRows: z.array(z.number().int()).max(131_071).optional(),
  /** In training: share of the packets whose size is moved by up to `jitterBytes` either way. */
  jitterShare: z.number().min(0).max(1).default(0),
  jitterBytes: z.number().int().min(1).max(256).default(16),
  /** In training: share of the packets whose embedding is left out. */
  embeddingDropout: share.default(0),
});
export type Sizes = z.infer<typeof sizes>;

/** Which of the three branches a network has: those left out are an ablation. */
export const branches = z
  .array(z.enum(INPUTS))
  .min(1)
  .refine((names) => new Set(names).size === names.length, 'a branch is named twice');

/** The same set in the order in which networks take inputs. */
export function inInputOrder(names: readonly InputName[]): InputName[] {
  return INPUTS.filter((name) => names.includes(name));
}

/** Paper 3.2 [F]: four convolutions, two max-poolings, widths 128 and 256. Kernel and pooling [?]. */
export const PAPER_CONVOLUTIONS: Convolutions = {
  groups: [
    [
      [128, 3, 1],
      [128, 3, 1],
    ],
    [
      [256, 3, 1],
      [256, 3, 1],
    ],
  ],
  pool: 2,
  dense: 0,
};

/** Paper 3.2: dense 128, then three LSTMs both ways; [F] 256, 256, 512 read as 256 a direction, joined at the end. */
export const PAPER_RECURRENT: Recurrent = {
  dense: 128,
  units: [256, 256, 256],
  bidirectional: true,
};

/** Paper 3.2 [F]. */
export const PAPER_STATISTICS = [200, 200];
export const PAPER_HEAD = [256, 128];
/** Paper 3.2: up to 0.5, most in the last dense layers; what the branches have is not said [?]. */
export const PAPER_DROPOUT: Dropout = { branch: 0.1, head: 0.5 };
