// Kernel, clock and memory -> whether they are what the agent counts on.

import { statSync } from 'node:fs';
import { release, type } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { NativeAddon } from '../capture/native.ts';
import { CaptureError } from '../errors.ts';
import { FlowTable } from '../flow/flow-table.ts';
import { RING_BYTES } from './capture-checks.ts';
import {
  type Check,
  type Finding,
  fail,
  mebibytes,
  notTried,
  ok,
  warn,
} from './finding.ts';
import { readKernelFile } from './process-facts.ts';

/** The first with PACKET_IGNORE_OUTGOING, the newest of what a ring uses. */
const KERNEL_LEAST = [4, 20] as const;

/** @param kernel as `uname -s` and `uname -r` say */
export function kernelFinding(kernel = { name: type(), release: release() }): Finding {
  const check = { check: 'kernel', expected: `Linux ${KERNEL_LEAST.join('.')} or later` };
  const found = `${kernel.name} ${kernel.release}`;
  if (kernel.name !== 'Linux') {
    return fail(check, found, 'captures can be replayed here; to listen takes Linux');
  }
  const [major = 0, minor = 0] = kernel.release
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [wantMajor, wantMinor] = KERNEL_LEAST;
  const isNew = major > wantMajor || (major === wantMajor && minor >= wantMinor);
  return isNew
    ? ok(check, found)
    : warn(check, found, 'update the kernel; the checks below say what this one lacks');
}

const DAY_MS = 86_400_000;

/** When this file was compiled or packed: no right clock shows less. */
export function builtAt(): Date {
  return statSync(new URL(import.meta.url)).mtime;
}

export function clockFinding(now: Date, built: Date): Finding {
  const day = built.toISOString().slice(0, 10);
  const check = { check: 'clock', expected: `${day}, when this was built, or later` };
  const found = now.toISOString();
  // A day, for a machine that was built in haste on a clock a little fast.
  return now.getTime() > built.getTime() - DAY_MS
    ? ok(check, found)
    : fail(
        check,
        found,
        'set the clock, best by NTP: reports bear its time, and certificates are checked against it',
      );
}

export function synchronisationFinding(
  native: Pick<NativeAddon, 'clockFacts'> | undefined,
): Finding {
  const check = { check: 'clock-synchronised', expected: 'by NTP, PTP or the like' };
  if (native === undefined) return notTried(check, 'addon');
  const facts = native.clockFacts();
  if ('errno' in facts) {
    return warn(
      check,
      `not told (${getSystemErrorName(-facts.errno)})`,
      'a sandbox forbids adjtimex(2); see that the host keeps the clock right',
    );
  }
  if (facts.synchronised) {
    return ok(check, `right within ${(facts.maxErrorUs / 1000).toFixed(0)} ms`);
  }
  return warn(
    check,
    'nobody keeps the clock right',
    'run chrony or systemd-timesyncd; in a virtual machine the host may do it unseen',
  );
}

/** What reads slowly or coarsely; each packet takes a reading. */
const POOR_SOURCES: Readonly<Record<string, string>> = {
  jiffies: 'goes on in steps of milliseconds, too coarse for inter-arrival times',
  acpi_pm: 'is slow to read, once a packet',
  hpet: 'is slow to read, once a packet',
  pit: 'is slow to read, once a packet',
};

/** @param source what /sys/devices/system/clocksource says */
export function clockSourceFinding(
  source = readKernelFile(
    '/sys/devices/system/clocksource/clocksource0/current_clocksource',
  )?.trim(),
): Finding {
  const check = { check: 'clock-source', expected: "the processor's own counter" };
  if (source === undefined) return warn(check, 'not told', 'mount /sys');
  const fault = POOR_SOURCES[source];
  if (fault === undefined) return ok(check, source);
  return warn(
    check,
    `${source} ${fault}`,
    'see /sys/devices/system/clocksource/clocksource0/available_clocksource; the kernel log says why it was chosen',
  );
}

/** What the default flow table reserves, against what can be had. */
export function checkMemory(native: NativeAddon | undefined): Finding {
  if (native === undefined) return notTried(memoryCheck(0), 'addon');
  try {
    return memoryFinding(new FlowTable().memoryBytes, process.availableMemory());
  } catch (fault) {
    if (!(fault instanceof CaptureError)) throw fault;
    return fail(memoryCheck(0), fault.message, MORE_MEMORY);
  }
}

const MORE_MEMORY =
  'stop something else, raise the memory limit of the container or unit, or take a smaller flow table and ring';

function memoryCheck(tableBytes: number): Check {
  const needed = tableBytes === 0 ? '' : ` of ${mebibytes(tableBytes + RING_BYTES)}`;
  return {
    check: 'memory',
    expected: `room${needed} for the default flow table and ring`,
  };
}

export function memoryFinding(tableBytes: number, availableBytes: number): Finding {
  const check = memoryCheck(tableBytes);
  const found = `${mebibytes(availableBytes)} available`;
  return availableBytes >= tableBytes + RING_BYTES
    ? ok(check, found)
    : fail(check, found, MORE_MEMORY);
}
