// A bundle's directory or archive -> manifest and model bytes, checked: trusted, whole, undamaged, and made for this
// program's features.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BundleError } from '../errors.ts';
import {
  type BundleParts,
  damaged,
  MANIFEST_FILE,
  MODEL_BYTES_MAX,
  openParts,
  PART_BYTES_MAX,
  SIGNATURE_FILE,
} from './bundle-parts.ts';
import {
  incompatibility,
  MANIFEST_VERSION,
  type Manifest,
  manifestSchema,
} from './manifest.ts';
import { type Origin, originOf, TRUST_SHIPPED, type Trust } from './trust.ts';

/** A bundle that is whole. */
export interface WholeBundle {
  /** Its directory or archive. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly model: Uint8Array;
  readonly origin: Origin;
  /** By which it was read. */
  readonly trust: Trust;
  /** All its files by name, the manifest and a signature among them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A bundle that can be served. */
export type Bundle = Omit<WholeBundle, 'files'>;

/**
 * Reads a bundle for use.
 *
 * @param trust whose bundles are taken; by default only what came with the program.
 * @throws BundleError ERR_BUNDLE_MISSING, ERR_BUNDLE_UNSIGNED, ERR_BUNDLE_SIGNATURE, ERR_BUNDLE_DAMAGED,
 *   ERR_BUNDLE_VERSION, each in one line.
 */
export async function loadBundle(
  path: string,
  trust: Trust = TRUST_SHIPPED,
): Promise<Bundle> {
  const { files: _, ...bundle } = await readBundle(path, trust);
  const reason = incompatibility(bundle.manifest);
  if (reason !== undefined) {
    throw new BundleError(
      'ERR_BUNDLE_VERSION',
      `bundle ${path} cannot be served: ${reason}; take a bundle made for this version, or train it again`,
    );
  }
  return bundle;
}

/** The same of a bundle that may be made for other features: it is not served. */
export async function readBundle(path: string, trust: Trust): Promise<WholeBundle> {
  const parts = await openParts(path);
  const manifestBytes = await parts.read(MANIFEST_FILE, PART_BYTES_MAX);
  const origin = await originOf(parts, manifestBytes, trust);
  const manifest = parseManifest(path, manifestBytes);
  const files = new Map([[MANIFEST_FILE, manifestBytes]]);
  const signature = await parts.find(SIGNATURE_FILE, PART_BYTES_MAX);
  if (signature !== undefined) files.set(SIGNATURE_FILE, signature);
  const { file, sha256 } = manifest.model;
  const model = await readNamed(parts, file, { sha256, bytesMax: MODEL_BYTES_MAX });
  files.set(file, model);
  for (const [name, named] of Object.entries(manifest.files)) {
    const limits = { sha256: named.sha256, bytesMax: PART_BYTES_MAX };
    files.set(name, await readNamed(parts, name, limits));
  }
  const unnamed = parts.names?.find((name) => !files.has(name));
  if (unnamed !== undefined) {
    throw damaged(path, `it holds ${unnamed}, which its manifest does not name`);
  }
  return { path, manifest, model, origin, trust, files };
}

/** A file with the hash that the manifest says. */
async function readNamed(
  parts: BundleParts,
  name: string,
  { sha256, bytesMax }: { readonly sha256: string; readonly bytesMax: number },
): Promise<Uint8Array> {
  const bytes = await parts.read(name, bytesMax);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest === sha256) return bytes;
  throw damaged(
    parts.path,
    `${name} has SHA-256 ${digest.slice(0, 12)}…, its manifest says ${sha256.slice(0, 12)}…`,
  );
}

/** The fields that say whether the rest can be understood at all. */
const versionSchema = z.looseObject({
  format: z.literal('sluice-bundle'),
  manifestVersion: z.number(),
});

function parseManifest(path: string, bytes: Uint8Array): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    const [why] = (cause as Error).message.split('\n');
    throw damaged(path, `${MANIFEST_FILE} is no JSON (${why})`);
  }
  const version = versionSchema.safeParse(json);
  if (version.success && version.data.manifestVersion !== MANIFEST_VERSION) {
    throw new BundleError(
      'ERR_BUNDLE_VERSION',
      `bundle ${path} has manifest version ${version.data.manifestVersion}, this sluice reads ${MANIFEST_VERSION}; update the older of the two`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : issue.path.join('.');
  throw damaged(
    path,
    `${MANIFEST_FILE}${where === '' ? '' : ` at ${where}`}: ${issue?.message ?? 'unknown fault'}`,
  );
}
