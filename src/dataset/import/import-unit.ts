// One unit of a public set -> its shard.

import { InputError } from '../../errors.ts';
import { ShardWriter } from '../dataset-file.ts';
import type { WrittenShard } from '../join-dataset.ts';
import type { Conversion } from '../pooling.ts';
import type { ShardDescription } from '../shard-description.ts';
import { convert, type DefinitionName } from './definition.ts';
import type { ImportFormat } from './formats.ts';
import { importRow, type RowContext } from './import-row.ts';
import { type ImportedFlow, isFault } from './imported-flow.ts';
import type { SetDescription } from './sets.ts';
import type { ImportUnit } from './units.ts';

export interface UnitJob {
  readonly unit: ImportUnit;
  readonly id: string;
  readonly format: ImportFormat;
  readonly set: SetDescription;
  readonly wanted: DefinitionName;
  readonly context: RowContext;
  readonly storedPackets: number;
  /** What the shard tells of itself. */
  readonly description: Omit<ShardDescription, 'counters'>;
  /** Bad lines that are borne. */
  readonly maxBad: number;
  readonly signal: AbortSignal;
  /** Told of a flow that could not be read. */
  readonly bad: (place: string, fault: string) => void;
  /** Told now and then of the flows so far. */
  readonly progress: (flows: number) => void;
}

/** What became of the flows of a unit; in the manifest as they are. */
interface UnitCounters extends Readonly<Record<string, number>> {
  readonly flows: number;
  /** Could not be read. */
  readonly bad: number;
  /** None of their packets counts by the definition. */
  readonly withoutPackets: number;
  readonly withoutService: number;
  /** By how their sizes were converted. */
  readonly none: number;
  readonly exact: number;
  readonly estimated: number;
}

const PROGRESS_FLOWS = 500;

/**
 * @returns undefined: the signal aborted; nothing of it is left
 * @throws InputError ERR_IMPORT too many bad lines, or no flow at all; ERR_OUTPUT
 */
export async function importUnit(
  directory: string,
  job: UnitJob,
): Promise<WrittenShard | undefined> {
  const { id, context, description } = job;
  const writer = new ShardWriter(directory, {
    id,
    looks: context.looks,
    keepSni: false,
    // Counters are told at the end.
    description: { ...description, counters: {} },
  });
  try {
    const counters = await addFlows(writer, job);
    if (counters === undefined) {
      writer.discard();
      return undefined;
    }
    const { rows } = writer;
    writer.finish({ counters });
    return { rows, counters };
  } catch (fault) {
    writer.discard();
    throw fault;
  }
}

async function addFlows(
  writer: ShardWriter,
  job: UnitJob,
): Promise<UnitCounters | undefined> {
  const { unit, format, storedPackets } = job;
  const rows = new UnitRows(writer, job);
  for (const file of unit.files) {
    for await (const { place, parsed } of format.read(file, storedPackets)) {
      if (job.signal.aborted) return undefined;
      if (isFault(parsed)) rows.bad(place, parsed.fault);
      else rows.add(parsed);
    }
  }
  if (writer.rows > 0) return rows.counters();
  throw new InputError('ERR_IMPORT', `${unit.name}: no flow in it could be read`);
}

class UnitRows {
  readonly #writer: ShardWriter;
  readonly #job: UnitJob;
  readonly #counts = { flows: 0, bad: 0, withoutPackets: 0, withoutService: 0 };
  readonly #by: Record<Conversion, number> = { none: 0, exact: 0, estimated: 0 };

  constructor(writer: ShardWriter, job: UnitJob) {
    this.#writer = writer;
    this.#job = job;
  }

  add(parsed: ImportedFlow): void {
    const { set, wanted, context, storedPackets, progress } = this.#job;
    const flow = {
      ...parsed,
      ipVersion: parsed.ipVersion ?? set.ipVersion,
      sizes: parsed.sizes.subarray(0, storedPackets),
      timesNs: parsed.timesNs.subarray(0, storedPackets),
    };
    this.#counts.flows++;
    if (this.#counts.flows % PROGRESS_FLOWS === 0) progress(this.#counts.flows);
    const converted = convert(flow, set, wanted);
    if (converted === undefined) {
      this.#counts.withoutPackets++;
      return;
    }
    this.#by[converted.conversion]++;
    const row = importRow(flow, converted, this.#writer.rows, context);
    if (row.service === null) this.#counts.withoutService++;
    this.#writer.add(row);
  }

  /** @throws InputError ERR_IMPORT there are too many */
  bad(place: string, fault: string): void {
    this.#counts.bad++;
    this.#job.bad(place, fault);
    if (this.#counts.bad > this.#job.maxBad) throw tooMany(this.#job, place, fault);
  }

  counters(): UnitCounters {
    return { ...this.#counts, ...this.#by };
  }
}

function tooMany({ maxBad, set }: UnitJob, place: string, fault: string): InputError {
  return new InputError(
    'ERR_IMPORT',
    `more than ${maxBad} flows could not be read, the last is ${place}: ${fault}; check that the file is whole and of this format (${set.name}), or raise --max-bad`,
  );
}

/** The worst that was done to a flow of the unit. */
export function conversionOf(counters: Readonly<Record<string, number>>): Conversion {
  if ((counters.estimated ?? 0) > 0) return 'estimated';
  return (counters.exact ?? 0) > 0 ? 'exact' : 'none';
}
