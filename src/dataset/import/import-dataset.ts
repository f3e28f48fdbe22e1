// Units of public sets -> a data set: new, or joined to one that stands. A unit whose shard stands already is left as it is, so an
// import that was stopped goes on where it was.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.ts';
import { FEATURE_VERSION } from '../../features/features.ts';
import { OCCLUSION_VERSION } from '../../handshake/occlusion.ts';
import { fileSha256, shardPath } from '../dataset-file.ts';
import {
  type CaptureEntry,
  type DatasetManifest,
  type DatasetOptions,
  MANIFEST_FILE,
  makeManifest,
  readManifest,
  type SourceDeclaration,
  writeManifest,
} from '../dataset-manifest.ts';
import { shardDescription } from '../dataset-reader.ts';
import type { LabelTable } from '../label-table.ts';
import { checkPooling } from '../pooling.ts';
import type { ReadApps } from './apps.ts';
import {
  checkDefinition,
  DEFINITIONS,
  type DefinitionName,
  heldLengths,
  nearest,
  worse,
} from './definition.ts';
import { IMPORT_FORMATS, type ImportFormat, type ImportFormatName } from './formats.ts';
import { conversionOf, importUnit, type UnitCounters } from './import-unit.ts';
import type { SetDescription } from './sets.ts';
import { type ImportUnit, unitId, unitsOf } from './units.ts';

/** Raised whenever the same file gives other rows. */
const IMPORT_VERSION = 1;

export interface ImportOptions {
  readonly format: ImportFormatName;
  readonly paths: readonly string[];
  readonly out: string;
  /** The set of each file; undefined: as the format tells it. */
  readonly set: (name: string | undefined) => Promise<SetDescription>;
  /** undefined: the definition that costs the set least. */
  readonly as: DefinitionName | undefined;
  readonly apps: ReadApps;
  readonly labels: LabelTable;
  readonly storedPackets: number;
  readonly looks: readonly number[];
  readonly maxBad: number;
  readonly signal: AbortSignal;
  readonly bad: (place: string, fault: string) => void;
  readonly progress: (unit: ImportUnit, flows: number) => void;
  readonly done: (unit: UnitReport) => void | Promise<void>;
}

export interface UnitReport {
  readonly name: string;
  readonly id: string;
  readonly source: string;
  readonly rows: number;
  readonly counters: UnitCounters;
  /** It stood already. */
  readonly stood: boolean;
}

interface Planned {
  readonly unit: ImportUnit;
  readonly set: SetDescription;
  readonly wanted: DefinitionName;
}

/**
 * @returns undefined: the signal aborted; shards that are whole stand, the manifest is as it was
 * @throws InputError
 */
export async function importDataset(
  options: ImportOptions,
): Promise<DatasetManifest | undefined> {
  const { out, format: formatName, signal } = options;
  const format: ImportFormat = IMPORT_FORMATS[formatName];
  const before = existsSync(join(out, MANIFEST_FILE))
    ? await readManifest(out)
    : undefined;
  const plan = await planOf(options, format);
  const shared = optionsOf(options, before);
  const sources: Record<string, SourceDeclaration> = { ...before?.sources };
  // Before the first shard is written: what may not be pooled is not begun.
  for (const { set, wanted } of plan) {
    const declared = declaration(set, wanted);
    checkPooling(sources, set.name, declared);
    sources[set.name] ??= declared;
  }
  const captures = new Map(before?.captures.map((entry) => [entry.id, entry]));
  for (const planned of plan) {
    if (signal.aborted) return undefined;
    const entry = await importOne(planned, options, shared);
    if (entry === undefined) return undefined;
    captures.set(entry.id, entry);
    const source = sources[entry.source];
    if (source === undefined) continue;
    const conversion = worse(source.conversion, conversionOf(entry.counters));
    sources[entry.source] = { ...source, conversion };
  }
  const manifest = makeManifest({
    options: shared,
    sources,
    captures: [...captures.values()],
  });
  await writeManifest(out, manifest);
  return manifest;
}

async function planOf(options: ImportOptions, format: ImportFormat): Promise<Planned[]> {
  const units = await unitsOf(options.paths, format.rule);
  const plan: Planned[] = [];
  for (const unit of units) {
    const [file = ''] = unit.files;
    const set = await options.set(format.set(file));
    const wanted = options.as ?? nearest(set);
    checkDefinition(set, wanted);
    plan.push({ unit, set, wanted });
  }
  return plan;
}

function declaration(set: SetDescription, wanted: DefinitionName): SourceDeclaration {
  const { kinds, repeats } = DEFINITIONS[wanted];
  const { leftOut, licence, origin } = set;
  const size = heldLengths(wanted);
  return { size, kinds, repeats, leftOut, conversion: 'none', licence, origin };
}

/** @throws InputError ERR_IMPORT the data set that stands was made with other options */
function optionsOf(
  { storedPackets, looks }: ImportOptions,
  before: DatasetManifest | undefined,
): DatasetOptions {
  const own: DatasetOptions = {
    featureVersion: FEATURE_VERSION,
    occlusion: { version: OCCLUSION_VERSION, shown: [] },
    storedPackets,
    looks: [...looks],
    keepSni: false,
    labelsSha256: null,
  };
  if (before === undefined) return own;
  const { featureVersion, occlusion, keepSni, labelsSha256 } = before;
  const kept = { featureVersion, occlusion, storedPackets: before.storedPackets };
  const same =
    JSON.stringify([kept, before.looks]) ===
    JSON.stringify([
      {
        featureVersion: FEATURE_VERSION,
        // An import has no handshakes: any fields may be shown.
        occlusion: { ...own.occlusion, shown: occlusion.shown },
        storedPackets,
      },
      looks,
    ]);
  if (same && !keepSni) return { ...own, occlusion, labelsSha256 };
  throw new InputError(
    'ERR_IMPORT',
    `the data set that stands there keeps ${before.storedPackets} packets and looks at ${before.looks.join(',')}${keepSni ? ', and server names' : ''}: give --stored-packets and --looks alike, or another folder`,
  );
}

async function importOne(
  { unit, set, wanted }: Planned,
  options: ImportOptions,
  shared: DatasetOptions,
): Promise<CaptureEntry | undefined> {
  const { out, labels, apps, signal, maxBad } = options;
  const hashes: string[] = [];
  for (const file of unit.files) hashes.push(await fileSha256(file));
  const id = unitId(unit, hashes);
  const { storedPackets, looks } = shared;
  const description = {
    importVersion: IMPORT_VERSION,
    format: options.format,
    set,
    as: wanted,
    storedPackets,
    looks,
    featureVersion: FEATURE_VERSION,
    appsSha256: sha256(apps.text),
    unit: unit.name,
  };
  const path = shardPath(out, id);
  const stood = await countersThatStand(path, description);
  const counters =
    stood ??
    (await importUnit(out, {
      unit,
      id,
      format: IMPORT_FORMATS[options.format],
      set,
      wanted,
      context: {
        capture: id,
        source: set.name,
        key: hashes.join(''),
        apps: apps.table,
        labels,
        counted: DEFINITIONS[wanted],
        looks,
      },
      storedPackets,
      description,
      maxBad,
      signal,
      bad: options.bad,
      progress: (flows) => options.progress(unit, flows),
    }));
  if (counters === undefined) return undefined;
  const rows = counters.none + counters.exact + counters.estimated;
  const entry = { id, name: unit.name, source: set.name, rows, counters };
  await options.done({ ...entry, stood: stood !== undefined });
  return { ...entry, sha256: await fileSha256(path) };
}

/** Of a shard that was made from the same content in the same way; undefined: there is none. */
async function countersThatStand(
  path: string,
  wanted: Readonly<Record<string, unknown>>,
): Promise<UnitCounters | undefined> {
  const found = await shardDescription(path);
  if (found === undefined) return undefined;
  const { datasetVersion, counters, ...rest } = found.description as Record<
    string,
    unknown
  >;
  const same = JSON.stringify(rest) === JSON.stringify(wanted);
  return same && datasetVersion !== undefined ? (counters as UnitCounters) : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
