// dataset.json: what a data set holds and how it was made. The same inputs give the same bytes: it names no folder, no
// machine and no time of building.

import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { PACKET_KINDS } from '../features/packet-rule.ts';
import { SERIES_STEPS_MAX } from '../features/shapes.ts';
import { CANARY_FIELDS } from '../handshake/canary.ts';
import { DATASET_VERSION } from './dataset-schema.ts';

export const MANIFEST_FILE = 'dataset.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits');
const captureId = z.string().regex(/^[0-9a-f]{16}$/, 'expected 16 hex digits');
const count = z.int().nonnegative();

/** What the packets of a source are: which lengths it knows, which packets it left out. */
const sourceSchema = z.strictObject({
  /** Which lengths are known: from the IP header on, of the payload, or both. */
  size: z.enum(['ip', 'payload', 'both']),
  kinds: z.enum(PACKET_KINDS),
  /** Whether TCP packets that were sent again, or overtaken, are in it. */
  repeats: z.boolean(),
  /** What else is not in it, in words. */
  leftOut: z.string(),
  /** Whether numbers were converted: exactly, or by an estimate. */
  conversion: z.enum(['none', 'exact', 'estimated']),
  licence: z.string(),
  origin: z.string(),
});
export type SourceDeclaration = z.infer<typeof sourceSchema>;

/** What every row of every shard has in common. */
export const optionsSchema = z.strictObject({
  featureVersion: z.int().positive(),
  occlusion: z.strictObject({
    version: z.int().positive(),
    shown: z.array(z.enum(CANARY_FIELDS)),
  }),
  /** Packets stored of a flow, at most. */
  storedPackets: z.int().min(1).max(SERIES_STEPS_MAX),
  /** Packet numbers of the ready-made statistics. */
  looks: z.array(z.int().min(1).max(SERIES_STEPS_MAX)),
  keepSni: z.boolean(),
  /** Of the label table and what else decides labels; null: labels came with the data. */
  labelsSha256: sha256.nullable(),
});
export type DatasetOptions = z.infer<typeof optionsSchema>;

export const captureSchema = z.strictObject({
  id: captureId,
  /** Base name of its file. */
  name: z.string(),
  source: z.string(),
  rows: count,
  /** Of the shard. */
  sha256,
  /** What was counted on the way, by name. */
  counters: z.record(z.string(), count),
});
export type CaptureEntry = z.infer<typeof captureSchema>;

const manifestSchema = z.strictObject({
  format: z.literal('sluice-dataset'),
  datasetVersion: z.literal(DATASET_VERSION),
  ...optionsSchema.shape,
  sources: z.record(z.string(), sourceSchema),
  /** In the order of their ids. */
  captures: z.array(captureSchema),
  rows: count,
  contentSha256: sha256,
});
export type DatasetManifest = z.infer<typeof manifestSchema>;

/** A capture file holds every packet with both lengths: any packet rule can be had of it. */
export const CAPTURE_SOURCE: SourceDeclaration = {
  size: 'both',
  kinds: 'all',
  repeats: true,
  leftOut: 'packets behind the stored ones; flows that never carry payload',
  conversion: 'none',
  licence: 'that of the captures',
  origin: 'capture files',
};

export interface ManifestParts {
  readonly options: DatasetOptions;
  readonly sources: Readonly<Record<string, SourceDeclaration>>;
  readonly captures: readonly CaptureEntry[];
}

/** The manifest; captures in any order. */
export function makeManifest(parts: ManifestParts): DatasetManifest {
  const captures = parts.captures.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const sources = Object.entries(parts.sources).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    format: 'sluice-dataset',
    datasetVersion: DATASET_VERSION,
    ...parts.options,
    sources: Object.fromEntries(sources),
    captures,
    rows: captures.reduce((sum, { rows }) => sum + rows, 0),
    contentSha256: contentSha256(captures),
  };
}

/** SHA-256 over the shards' ids and hashes, a line each, in the order of ids. */
function contentSha256(captures: readonly CaptureEntry[]): string {
  const hash = createHash('sha256');
  for (const { id, sha256 } of captures) hash.update(`${id} ${sha256}\n`);
  return hash.digest('hex');
}

/** Replaces the manifest in one step. */
export async function writeManifest(
  directory: string,
  manifest: DatasetManifest,
): Promise<void> {
  const path = join(directory, MANIFEST_FILE);
  await writeFile(`${path}.partial`, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(`${path}.partial`, path);
}

/** @throws InputError ERR_DATASET: none there, damaged, or of another version */
export async function readManifest(directory: string): Promise<DatasetManifest> {
  const text = await readFile(join(directory, MANIFEST_FILE), 'utf8').catch(
    (cause: NodeJS.ErrnoException) => {
      throw new InputError(
        'ERR_DATASET',
        `data set ${directory}: ${MANIFEST_FILE} cannot be read (${cause.code}); expected a folder that \`sluice dataset build\` or \`import\` has finished`,
        { cause },
      );
    },
  );
  return parseManifest(text, directory);
}

function parseManifest(text: string, directory: string): DatasetManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(
      'ERR_DATASET',
      `data set ${directory}: ${MANIFEST_FILE} is no JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const version = (json as { datasetVersion?: unknown } | null)?.datasetVersion;
  if (typeof version === 'number' && version !== DATASET_VERSION) {
    throw new InputError(
      'ERR_DATASET',
      `data set ${directory}: its version is ${version}, this program reads ${DATASET_VERSION}: build it anew`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    'ERR_DATASET',
    `data set ${directory}: ${MANIFEST_FILE}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a manifest'}`,
  );
}
