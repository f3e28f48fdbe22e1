// Machine, permissions, interface and model -> findings, in the order in which they are best mended.

import { probeCapture } from '../capture/capture-probe.ts';
import {
  type InterfaceFacts,
  interfaceFacts,
  listInterfaces,
  unknownInterface,
} from '../capture/interface-facts.ts';
import type { NativeAddon } from '../capture/native.ts';
import { type CaptureFacts, captureFindings } from './capture-checks.ts';
import type { Finding } from './finding.ts';
import { interfaceFindings } from './interface-checks.ts';
import {
  builtAt,
  checkMemory,
  clockFinding,
  clockSourceFinding,
  kernelFinding,
  synchronisationFinding,
} from './machine-checks.ts';
import { capabilitiesOf, lockLimitOf, readKernelFile } from './process-facts.ts';
import { checkAddon, checkModel, inferenceFinding } from './program-checks.ts';

export interface DoctorOptions {
  /** Without one the interface is not looked at, and the capture is tried on the loopback. */
  readonly interfaceName?: string | undefined;
  /** A bundle's directory. */
  readonly bundle: string;
}

/**
 * Checks everything; changes nothing.
 *
 * @throws InputError ERR_INTERFACE_UNKNOWN, before the first finding
 */
export async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  const { interfaceName } = options;
  const addon = checkAddon();
  const native = addon.part;
  const facts = namedFacts(native, interfaceName);
  yield kernelFinding();
  yield addon.finding;
  yield* captureFindings(captureFacts(native, interfaceName));
  if (interfaceName !== undefined) yield* interfaceFindings(facts);
  yield clockFinding(new Date(), builtAt());
  yield synchronisationFinding(native);
  yield clockSourceFinding();
  yield checkMemory(native);
  const model = await checkModel(options.bundle);
  yield model.finding;
  yield await inferenceFinding(model.part);
}

function namedFacts(
  native: NativeAddon | undefined,
  name: string | undefined,
): InterfaceFacts | undefined {
  if (name === undefined) return undefined;
  if (native !== undefined) return interfaceFacts(native, name);
  if (!listInterfaces().includes(name)) throw unknownInterface(name);
  return undefined;
}

function captureFacts(
  native: NativeAddon | undefined,
  interfaceName: string | undefined,
): CaptureFacts {
  return {
    probe: native && probeCapture(native, interfaceName),
    capabilities: capabilitiesOf(readKernelFile('/proc/self/status') ?? ''),
    lockLimitBytes: lockLimitOf(readKernelFile('/proc/self/limits') ?? ''),
  };
}
