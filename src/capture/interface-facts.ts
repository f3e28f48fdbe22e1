// The name of an interface -> what the kernel says about it, and which of its offloads distort what a capture sees.

import { readFileSync } from 'node:fs';
import { constants, networkInterfaces } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { CaptureError, InputError } from '../errors.ts';
import type { InterfaceOffloads, NativeAddon, NativeInterfaceFacts } from './native.ts';

export interface InterfaceFacts extends NativeInterfaceFacts {
  readonly name: string;
}

/**
 * Asks the kernel; needs no privilege.
 *
 * @throws InputError ERR_INTERFACE_UNKNOWN; CaptureError ERR_INTERFACE_FACTS: the kernel refuses to tell.
 */
export function interfaceFacts(
  native: Pick<NativeAddon, 'interfaceFacts'>,
  name: string,
): InterfaceFacts {
  const answer = native.interfaceFacts(name);
  if (!('errno' in answer)) return { name, ...answer };
  if (answer.errno === constants.errno.ENODEV) throw unknownInterface(name);
  throw new CaptureError(
    'ERR_INTERFACE_FACTS',
    `interface ${name}: ${answer.step} is refused (${getSystemErrorName(-answer.errno)}), expected what netdevice(7) lets everybody ask; a sandbox may be in the way`,
  );
}

export function unknownInterface(name: string): InputError {
  return new InputError(
    'ERR_INTERFACE_UNKNOWN',
    `no interface "${name}", expected one of ${listInterfaces().join(', ')}`,
  );
}

/** All interfaces of this network namespace, in the kernel's order. */
export function listInterfaces(): string[] {
  let table: string;
  try {
    // Not node:os, which leaves out what has no address: a bridge's ports, a mirror port.
    table = readFileSync('/proc/net/dev', 'utf8');
  } catch {
    return Object.keys(networkInterfaces());
  }
  // proc(5): two lines of heading, then "  name: counters".
  const lines = table.split('\n').slice(2);
  return lines.flatMap((line) => line.match(/^\s*([^\s:]+):/)?.[1] ?? []);
}

/** What an offload does to the packets that a capture sees. */
export interface Distortion {
  /** As `ethtool -k` prints it. */
  readonly setting: string;
  /** As `ethtool -K` takes it. */
  readonly flag: string;
  readonly side: 'receive' | 'send';
  readonly effect: string;
}

const CUT_LATER = 'packets that this machine sends are seen before they are cut to size';

/** The kernel takes its copies for captures behind GRO and before GSO: net/core/dev.c. */
const DISTORTIONS: Readonly<Partial<Record<keyof InterfaceOffloads, Distortion>>> = {
  gro: {
    setting: 'generic-receive-offload',
    flag: 'gro',
    side: 'receive',
    effect: "packets arrive merged, sizes are split back by the kernel's gso_size",
  },
  lro: {
    setting: 'large-receive-offload',
    flag: 'lro',
    side: 'receive',
    effect:
      'packets arrive merged by the network card, their sizes on the wire are lost and some may not reach the ring',
  },
  udpGro: {
    setting: 'rx-udp-gro-forwarding',
    flag: 'rx-udp-gro-forwarding',
    side: 'receive',
    effect: "UDP datagrams arrive merged, sizes are split back by the kernel's gso_size",
  },
  hwTc: {
    setting: 'hw-tc-offload',
    flag: 'hw-tc-offload',
    side: 'receive',
    effect: 'flows that the hardware forwards by itself are not seen at all',
  },
  tso: {
    setting: 'tcp-segmentation-offload',
    flag: 'tso',
    side: 'send',
    effect: CUT_LATER,
  },
  gso: {
    setting: 'generic-segmentation-offload',
    flag: 'gso',
    side: 'send',
    effect: CUT_LATER,
  },
};

/** The offloads that are on and distort what is seen. VLAN offloads are not among them: tags come beside the frames. */
export function distortions(offloads: InterfaceOffloads): Distortion[] {
  return Object.entries(DISTORTIONS)
    .filter(([name]) => offloads[name as keyof InterfaceOffloads] === true)
    .map(([, distortion]) => distortion);
}

/** A line for each offload of a live interface that distorts what is seen: what it does and how to turn it off. */
export function offloadWarnings({ name, offloads }: InterfaceFacts): string[] {
  return distortions(offloads).map(
    ({ setting, flag, effect }) =>
      `${name}: ${setting} is on: ${effect}; to see them as on the wire: ethtool -K ${name} ${flag} off`,
  );
}
