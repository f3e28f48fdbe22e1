// proc(5): text of /proc/self -> what this process may do. Pure, so that every shape of the text can be tried.

import { readFileSync } from 'node:fs';

/** Bits of linux/capability.h. */
const CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_IPC_LOCK: 14n } as const;
export type Capability = keyof typeof CAPABILITIES;

/** The effective capabilities in /proc/self/status; none when the line is not there. */
export function capabilitiesOf(status: string): ReadonlySet<Capability> {
  const mask = BigInt(`0x${status.match(/^CapEff:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`);
  const held = Object.entries(CAPABILITIES).filter(([, bit]) => (mask >> bit) & 1n);
  return new Set(held.map(([name]) => name as Capability));
}

/** The soft RLIMIT_MEMLOCK in /proc/self/limits, Infinity without a limit; undefined when the line is not there. */
export function lockLimitOf(limits: string): number | undefined {
  const soft = limits.match(/^Max locked memory\s+(\d+|unlimited)\s/m)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

/** A file of /proc or /sys; undefined where there is none or it may not be read. */
export function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
