// What the kernel answered while a packet ring was opened -> one line that a person can act on.

import { readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { InputError } from '../errors.ts';

/** What the ring was asked to be. */
export interface RingWish {
  readonly interface: string;
  readonly blockBytes: number;
  readonly blocks: number;
}

interface RingFault extends Error {
  readonly step: string;
  readonly errno: number;
}

function isRingFault(fault: unknown): fault is RingFault {
  return (fault as { code?: unknown } | undefined)?.code === 'ERR_RING';
}

/** Interfaces of this network namespace; those without an address are not in os.networkInterfaces. */
function interfaceNames(): string[] {
  try {
    return readdirSync('/sys/class/net').sort();
  } catch {
    return Object.keys(networkInterfaces());
  }
}

/** The fault itself where it is not the kernel's. */
export function ringFault(
  fault: unknown,
  wish: RingWish,
  errno: Readonly<Record<string, number>>,
): unknown {
  if (!isRingFault(fault)) return fault;
  const name =
    Object.entries(errno).find(([, number]) => number === fault.errno)?.[0] ??
    `errno ${fault.errno}`;
  return new InputError('ERR_RING', sentence(fault.step, name, wish), { cause: fault });
}

function sentence(step: string, errno: string, wish: RingWish): string {
  if (step === 'interface') {
    return `no interface "${wish.interface}", expected one of ${interfaceNames().join(', ')}`;
  }
  if (errno === 'EPERM' || errno === 'EACCES') {
    return (
      `${wish.interface}: capturing needs the capability CAP_NET_RAW: run as root, or give it to the service ` +
      '(AmbientCapabilities=CAP_NET_RAW) or to the program (setcap cap_net_raw+ep)'
    );
  }
  if (step === 'ring' && errno === 'EINVAL') {
    return (
      `${wish.interface}: the kernel refuses a ring of ${wish.blocks} blocks of ${wish.blockBytes} bytes (EINVAL), ` +
      'expected blocks of a power of two of 4,096 bytes or more, by default 64 of 1,048,576'
    );
  }
  if (errno === 'ENOMEM' || errno === 'ENOBUFS') {
    return (
      `${wish.interface}: no memory for a ring of ${wish.blocks} blocks of ${wish.blockBytes} bytes (${errno}), ` +
      'expected fewer or smaller blocks'
    );
  }
  return `${wish.interface}: the kernel refuses the ${step} (${errno})`;
}
