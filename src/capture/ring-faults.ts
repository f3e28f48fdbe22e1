// What the kernel answered while a packet ring was opened -> one line that a person can act on.

import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { InputError } from '../errors.ts';
import { unknownInterface } from './interface-facts.ts';

/** What the ring was asked to be. */
export interface RingWish {
  readonly interface: string;
  readonly blockBytes: number;
  readonly blocks: number;
}

interface RingFault extends Error {
  readonly step: string;
  readonly errno: number;
  /** Why the step was not tried; empty where the kernel refused it. */
  readonly reason: string;
}

function isRingFault(fault: unknown): fault is RingFault {
  return (fault as { code?: unknown } | undefined)?.code === 'ERR_RING';
}

/** The fault itself where it is not the kernel's. */
export function ringFault(fault: unknown, wish: RingWish): unknown {
  if (!isRingFault(fault)) return fault;
  if (fault.errno === constants.errno.ENODEV) return unknownInterface(wish.interface);
  const name = getSystemErrorName(-fault.errno);
  return new InputError('ERR_RING', sentence(fault, name, wish), { cause: fault });
}

function sentence({ step, reason }: RingFault, errno: string, wish: RingWish): string {
  if (reason !== '') return `${wish.interface}: the ${step} cannot be made: ${reason}`;
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
