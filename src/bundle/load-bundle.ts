// A bundle's directory -> manifest and model bytes, checked: whole, undamaged, and made for this program's features.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BundleError } from '../errors.ts';
import {
  incompatibility,
  MANIFEST_VERSION,
  type Manifest,
  manifestSchema,
} from './manifest.ts';

/** A model far beyond what a router runs is taken for a mistake: it would be read into memory whole. */
const MODEL_BYTES_MAX = 256 * 1024 * 1024;
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

/** A bundle that can be served. */
export interface Bundle {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly model: Uint8Array;
}

/**
 * Reads a bundle.
 *
 * @throws BundleError ERR_BUNDLE_MISSING, ERR_BUNDLE_DAMAGED, ERR_BUNDLE_VERSION, each in one line.
 */
export async function loadBundle(directory: string): Promise<Bundle> {
  const facts = await stat(directory).catch(() => undefined);
  if (facts === undefined) throw missing(directory, 'no such directory');
  if (!facts.isDirectory()) throw missing(directory, 'not a directory');
  const manifest = parseManifest(
    directory,
    await readPart(directory, 'manifest.json', MANIFEST_BYTES_MAX),
  );
  const reason = incompatibility(manifest);
  if (reason !== undefined) {
    throw new BundleError(
      'ERR_BUNDLE_VERSION',
      `bundle ${directory} cannot be served: ${reason}; take a bundle made for this version, or train it again`,
    );
  }
  const model = await readPart(directory, manifest.model.file, MODEL_BYTES_MAX);
  const digest = createHash('sha256').update(model).digest('hex');
  if (digest !== manifest.model.sha256) {
    throw damaged(
      directory,
      `model.onnx has SHA-256 ${digest.slice(0, 12)}…, its manifest says ${manifest.model.sha256.slice(0, 12)}…`,
    );
  }
  return { directory, manifest, model };
}

function missing(directory: string, why: string, cause?: unknown): BundleError {
  return new BundleError(
    'ERR_BUNDLE_MISSING',
    `bundle ${directory}: ${why}, expected a directory with manifest.json and model.onnx`,
    { cause },
  );
}

function damaged(directory: string, why: string): BundleError {
  return new BundleError(
    'ERR_BUNDLE_DAMAGED',
    `bundle ${directory} is damaged: ${why}; copy it again from where it came`,
  );
}

async function readPart(directory: string, name: string, limit: number): Promise<Buffer> {
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    if (size > limit)
      throw damaged(directory, `${name} has ${size} bytes, at most ${limit}`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof BundleError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw missing(directory, `${name} cannot be read (${code})`, cause);
  }
}

/** The fields that say whether the rest can be understood at all. */
const versionSchema = z.looseObject({
  format: z.literal('sluice-bundle'),
  manifestVersion: z.number(),
});

function parseManifest(directory: string, bytes: Buffer): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged(directory, `manifest.json is no JSON (${(cause as Error).message})`);
  }
  const version = versionSchema.safeParse(json);
  if (version.success && version.data.manifestVersion !== MANIFEST_VERSION) {
    throw new BundleError(
      'ERR_BUNDLE_VERSION',
      `bundle ${directory} has manifest version ${version.data.manifestVersion}, this sluice reads ${MANIFEST_VERSION}; update the older of the two`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? '' : issue.path.join('.');
  throw damaged(
    directory,
    `manifest.json${where === '' ? '' : ` at ${where}`}: ${issue?.message ?? 'unknown fault'}`,
  );
}
