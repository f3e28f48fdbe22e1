// Files of public sets -> shards of a data set.

import { createHash } from 'node:crypto';
import { FEATURE_VERSION } from '../../features/features.ts';
import { OCCLUSION_VERSION } from '../../handshake/occlusion.ts';
import { fileSha256 } from '../dataset-file.ts';
import type {
  DatasetManifest,
  DatasetOptions,
  SourceDeclaration,
} from '../dataset-manifest.ts';
import { type JoinRun, joinDataset, type PlannedShard } from '../join-dataset.ts';
import type { LabelTable } from '../label-table.ts';
import { pseudonymsBy } from '../pseudonyms.ts';
import type { ReadApps } from './apps.ts';
import {
  checkDefinition,
  DEFINITIONS,
  type DefinitionName,
  heldLengths,
  nearest,
} from './definition.ts';
import { IMPORT_FORMATS, type ImportFormat, type ImportFormatName } from './formats.ts';
import { conversionOf, importUnit } from './import-unit.ts';
import type { SetDescription } from './sets.ts';
import { type ImportUnit, unitId, unitsOf } from './units.ts';

/** Raised whenever the same file gives other rows. */
const IMPORT_VERSION = 1;

export interface ImportOptions extends JoinRun {
  readonly format: ImportFormatName;
  readonly paths: readonly string[];
  readonly out: string;
  /** The set of files by the name that the format tells; undefined: it tells none. */
  readonly set: (name: string | undefined) => Promise<SetDescription>;
  /** undefined: the definition that costs the set least. */
  readonly as: DefinitionName | undefined;
  readonly apps: ReadApps;
  readonly labels: LabelTable;
  /** Of all that decides labels by server names. */
  readonly labelsSha256: string;
  /** Kept of a flow. */
  readonly packets: number;
  readonly looks: readonly number[];
  readonly maxBad: number;
  readonly bad: (place: string, fault: string) => void;
  readonly progress: (unit: ImportUnit, flows: number) => void;
}

/**
 * @returns undefined: stopped; what is whole stands
 * @throws InputError
 */
export async function importDataset(
  options: ImportOptions,
): Promise<DatasetManifest | undefined> {
  const format: ImportFormat = IMPORT_FORMATS[options.format];
  const plan: PlannedShard[] = [];
  for (const unit of await unitsOf(options.paths, format.rule)) {
    const [file = ''] = unit.files;
    const set = await options.set(format.set(file));
    const wanted = options.as ?? nearest(set);
    checkDefinition(set, wanted);
    plan.push(planned(unit, set, wanted, options));
  }
  return joinDataset(options.out, importedOptions(options), plan, options);
}

/** Of rows without handshakes or labels by captures. */
export function importedOptions({
  packets,
  looks,
}: Pick<ImportOptions, 'packets' | 'looks'>): DatasetOptions {
  return {
    featureVersion: FEATURE_VERSION,
    occlusion: { version: OCCLUSION_VERSION, shown: [] },
    storedPackets: packets,
    looks: [...new Set(looks)].sort((a, b) => a - b),
    keepSni: false,
    labelsSha256: null,
  };
}

function declarationOf(set: SetDescription, wanted: DefinitionName): SourceDeclaration {
  const { kinds, repeats } = DEFINITIONS[wanted];
  const { leftOut, licence, origin } = set;
  const size = heldLengths(wanted);
  return { size, kinds, repeats, leftOut, conversion: 'none', licence, origin };
}

function planned(
  unit: ImportUnit,
  set: SetDescription,
  wanted: DefinitionName,
  options: ImportOptions,
): PlannedShard {
  const { labels, apps, out, maxBad, signal } = options;
  const hashes: string[] = [];
  return {
    name: unit.name,
    source: set.name,
    declaration: declarationOf(set, wanted),
    recipe: {
      importVersion: IMPORT_VERSION,
      format: options.format,
      set,
      as: wanted,
      apps: createHash('sha256').update(apps.text).digest('hex'),
      labels: options.labelsSha256,
    },
    conversion: conversionOf,
    async id() {
      for (const file of unit.files) hashes.push(await fileSha256(file));
      return unitId(unit, hashes);
    },
    write({ id, options: { looks, storedPackets }, description }) {
      const context = {
        capture: id,
        source: set.name,
        pseudonyms: pseudonymsBy(Buffer.from(hashes.join(''), 'hex')),
        apps: apps.table,
        labels,
        counted: DEFINITIONS[wanted],
        looks,
      };
      return importUnit(out, {
        unit,
        id,
        format: IMPORT_FORMATS[options.format],
        set,
        wanted,
        context,
        storedPackets,
        description,
        maxBad,
        signal,
        bad: options.bad,
        progress: (flows) => options.progress(unit, flows),
      });
    },
  };
}
