// What a packet ring needs of kernel and permissions, tried step by step by the addon.

import { getSystemErrorName } from 'node:util';
import type { NativeAddon } from './native.ts';

/** In the order of trying: native/src/capture-probe.hpp says what each is. */
export const CAPTURE_STEPS = [
  'interface',
  'socket',
  'version',
  'vnet-header',
  'ring',
  'map',
  'map-locked',
  'ignore-outgoing',
  'filter',
  'bind',
  'fanout',
] as const;
export type CaptureStep = (typeof CAPTURE_STEPS)[number];

type StepOutcome =
  | { readonly status: 'worked' }
  /** `fault` is the name of an errno, such as EPERM. */
  | { readonly status: 'failed'; readonly fault: string }
  /** An earlier step stood in the way. */
  | { readonly status: 'not-tried' };

export type CaptureProbe = Readonly<Record<CaptureStep, StepOutcome>>;

/** Tries all steps on an interface, takes no packet in and closes everything again. */
export function probeCapture(
  native: Pick<NativeAddon, 'probeCapture'>,
  interfaceName = 'lo',
): CaptureProbe {
  const steps = native.probeCapture(interfaceName);
  const outcomes = CAPTURE_STEPS.map((name) => {
    const errno = steps.find(({ step }) => step === name)?.errno;
    return [name, outcomeOf(errno)] as const;
  });
  return Object.fromEntries(outcomes) as CaptureProbe;
}

function outcomeOf(errno: number | undefined): StepOutcome {
  if (errno === undefined) return { status: 'not-tried' };
  if (errno === 0) return { status: 'worked' };
  return { status: 'failed', fault: getSystemErrorName(-errno) };
}
