// The parts of the program itself: addon, model, inference.

import { type Bundle, loadBundle } from '../bundle/load-bundle.ts';
import { TRUST_ANY, trustWords } from '../bundle/trust.ts';
import { loadNative, type NativeAddon } from '../capture/native.ts';
import { BundleError, CaptureError } from '../errors.ts';
import { RECORD_LAYOUT_VERSION } from '../flow/record-layout.ts';
import { type Finding, fail, notTried, ok } from './finding.ts';

/** A part, unless it is missing, with what was found. */
export interface Part<T> {
  readonly part: T | undefined;
  readonly finding: Finding;
}

export function checkAddon(): Part<NativeAddon> {
  const check = { check: 'addon', expected: `record layout ${RECORD_LAYOUT_VERSION}` };
  try {
    const part = loadNative(RECORD_LAYOUT_VERSION);
    return { part, finding: ok(check, `record layout ${part.layoutVersion}`) };
  } catch (fault) {
    if (!(fault instanceof CaptureError)) throw fault;
    const mend = 'npm run build:native';
    return { part: undefined, finding: fail(check, fault.message, mend) };
  }
}

export async function checkModel(path: string): Promise<Part<Bundle>> {
  const check = { check: 'model', expected: 'a bundle made for this version' };
  try {
    const part = await loadBundle(path, TRUST_ANY);
    const { name, classes, model } = part.manifest;
    const size = `${Math.round(model.sizeBytes / 1000)} kB`;
    const found = `${name}, ${model.precision}, ${classes.length} classes, ${size}, ${trustWords(part.origin)}`;
    return { part, finding: ok(check, found) };
  } catch (fault) {
    if (!(fault instanceof BundleError)) throw fault;
    const mend =
      fault.code === 'ERR_BUNDLE_MISSING'
        ? 'train and export one, or name another: --bundle DIRECTORY'
        : 'copy it again from where it came, or name another: --bundle DIRECTORY';
    return { part: undefined, finding: fail(check, fault.message, mend) };
  }
}

/** Runs the model's self-test: a runtime that cannot be loaded, or computes something else, is found here. */
export async function inferenceFinding(bundle: Bundle | undefined): Promise<Finding> {
  const check = { check: 'inference', expected: "the bundle's self-test passes" };
  if (bundle === undefined) return notTried(check, 'model');
  try {
    // Not at the top: onnxruntime's library may be what this machine lacks.
    const { Classifier } = await import('../classify/classifier.ts');
    const classifier = await Classifier.open(bundle);
    await classifier.close();
    return ok(check, 'passed');
  } catch (fault) {
    const found = fault instanceof Error ? fault.message : String(fault);
    const mend =
      'install onnxruntime-node again (npm ci), it wants glibc on x64 or arm64; or take another bundle';
    return fail(check, found.split('\n')[0] ?? found, mend);
  }
}
