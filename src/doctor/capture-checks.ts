// Probe, capabilities and limits -> whether packets can be captured, and what is lacking.

import type { CaptureProbe, CaptureStep } from '../capture/capture-probe.ts';
import { LIVE_DEFAULTS } from '../flow/live-flows.ts';
import {
  type Check,
  type Finding,
  fail,
  mebibytes,
  notTried,
  ok,
  warn,
} from './finding.ts';
import type { Capability } from './process-facts.ts';

/** The agent's ring unless it is told otherwise: 64 blocks of 1 MiB. */
export const RING_BYTES: number = LIVE_DEFAULTS.blocks * LIVE_DEFAULTS.blockBytes;

export interface CaptureFacts {
  /** undefined for want of the addon. */
  readonly probe: CaptureProbe | undefined;
  readonly capabilities: ReadonlySet<Capability>;
  readonly lockLimitBytes: number | undefined;
}

const SOCKET = {
  check: 'packet-socket',
  expected: 'CAP_NET_RAW, and a kernel with packet sockets',
};

/** What takes some steps of the probe. */
interface StepCheck extends Check {
  readonly steps: readonly CaptureStep[];
  readonly needed: boolean;
  readonly works: string;
  readonly mend: string;
}

const STEP_CHECKS: readonly StepCheck[] = [
  {
    check: 'packet-ring',
    expected: 'a TPACKET_V3 ring that can be made, mapped and bound',
    steps: ['version', 'ring', 'map', 'bind'],
    needed: true,
    works: 'made, mapped and bound',
    mend: 'run on Linux itself, not in a sandbox that imitates it; for ENOMEM see the check memory',
  },
  {
    check: 'packet-filter',
    expected: 'SO_ATTACH_FILTER',
    steps: ['filter'],
    needed: true,
    works: 'attached',
    mend: 'run on Linux itself, not in a sandbox that imitates it',
  },
  {
    check: 'vnet-header',
    expected: 'PACKET_VNET_HDR, which tells the sizes of merged packets',
    steps: ['vnet-header'],
    needed: false,
    works: 'sizes of merged packets are told',
    mend: 'update the kernel; until then turn merging off: ethtool -K INTERFACE gro off',
  },
  {
    check: 'fanout',
    expected: 'PACKET_FANOUT, which shares the load among several rings',
    steps: ['fanout'],
    needed: false,
    works: 'several rings may share an interface',
    mend: 'update the kernel; until then capture with one ring',
  },
  {
    check: 'ignore-outgoing',
    expected: 'PACKET_IGNORE_OUTGOING, Linux 4.20 or later',
    steps: ['ignore-outgoing'],
    needed: false,
    works: 'what is sent can be left out',
    mend: 'update the kernel; until then what is sent is captured and skipped',
  },
];

export function captureFindings(facts: CaptureFacts): Finding[] {
  return [
    socketFinding(facts),
    ...STEP_CHECKS.map((check) => stepFinding(check, facts.probe)),
    lockFinding(facts),
    adminFinding(facts),
  ];
}

function socketFinding({ probe, capabilities }: CaptureFacts): Finding {
  if (probe === undefined) return notTried(SOCKET, 'addon');
  const outcome = probe.socket;
  if (outcome.status !== 'failed') return ok(SOCKET, 'allowed');
  const { fault } = outcome;
  if (fault !== 'EPERM') {
    return fail(
      SOCKET,
      `refused (${fault})`,
      'take a kernel with CONFIG_PACKET; in a systemd unit with RestrictAddressFamilies= add AF_PACKET',
    );
  }
  if (capabilities.has('CAP_NET_RAW')) {
    return fail(
      SOCKET,
      'refused (EPERM) although the process has CAP_NET_RAW',
      'run it outside the user namespace or sandbox: the network belongs to another one',
    );
  }
  return fail(
    SOCKET,
    'refused (EPERM): the process has no CAP_NET_RAW',
    `in a systemd unit: AmbientCapabilities=CAP_NET_RAW; by hand: setcap cap_net_raw+ep ${process.execPath} (every Node program gets it)`,
  );
}

function stepFinding(check: StepCheck, probe: CaptureProbe | undefined): Finding {
  if (probe === undefined) return notTried(check, 'addon');
  for (const step of check.steps) {
    const outcome = probe[step];
    switch (outcome.status) {
      case 'worked':
        break;
      case 'failed': {
        const found = `${step} is refused (${outcome.fault})`;
        return check.needed
          ? fail(check, found, check.mend)
          : warn(check, found, check.mend);
      }
      case 'not-tried':
        return notTried(check, SOCKET.check);
      default:
        return outcome satisfies never;
    }
  }
  return ok(check, check.works);
}

/** Never a failure: the ring's pages are the kernel's and are not swapped, locked or not. */
function lockFinding({ probe, capabilities, lockLimitBytes }: CaptureFacts): Finding {
  const check = {
    check: 'memory-lock',
    expected: `RLIMIT_MEMLOCK of ${mebibytes(RING_BYTES)}, the default ring, or CAP_IPC_LOCK`,
  };
  const mend = `in a systemd unit: LimitMEMLOCK=${RING_BYTES / 2 ** 20}M; in a shell: ulimit -l ${RING_BYTES / 1024}; without it the ring works unlocked`;
  const locked = probe?.['map-locked'];
  if (locked?.status === 'failed') {
    return warn(check, `a small ring cannot be locked (${locked.fault})`, mend);
  }
  if (capabilities.has('CAP_IPC_LOCK')) return ok(check, 'no limit by CAP_IPC_LOCK');
  if (lockLimitBytes === undefined) {
    return warn(check, 'the limit cannot be read', 'mount /proc');
  }
  if (lockLimitBytes === Number.POSITIVE_INFINITY) return ok(check, 'no limit');
  const found = `a limit of ${mebibytes(lockLimitBytes)}`;
  return lockLimitBytes >= RING_BYTES ? ok(check, found) : warn(check, found, mend);
}

/** Told, never missed: listening does not need it, nor does promiscuous mode of a packet socket (packet(7)). */
function adminFinding({ capabilities }: CaptureFacts): Finding {
  const check = {
    check: 'net-admin',
    expected:
      'CAP_NET_ADMIN only where traffic is marked (nftables) or offloads are changed',
  };
  return ok(
    check,
    capabilities.has('CAP_NET_ADMIN') ? 'held' : 'not held, not needed to listen',
  );
}
