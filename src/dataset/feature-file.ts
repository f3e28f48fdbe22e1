// Features of flows -> a Parquet file, one row a flow, in row groups: memory is bounded by a group. Tensors are byte arrays,
// little endian: as lists of numbers they would take ten times the time and memory of writer and reader.

import { renameSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { type BasicType, fileWriter, ParquetWriter } from 'hyparquet-writer';
import { InputError } from '../errors.ts';
import {
  FEATURE_VERSION,
  type FeatureSpec,
  type Features,
} from '../features/features.ts';
import {
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_CHANNELS,
} from '../features/shapes.ts';
import { STATISTICS } from '../features/statistics-table.ts';

/** What a row tells of its flow beside the features: the names of `sluice flows --json`. */
export interface FlowColumns {
  readonly file: string;
  readonly protocol: string;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly vlan: number | null;
  readonly packets: number;
  readonly bytes: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly endReason: string;
  readonly state: string;
  readonly kind: string | null;
  readonly sni: string | null;
  readonly alpn: string | null;
  readonly version: string | null;
  readonly ech: boolean;
}

const TYPES: Readonly<Record<keyof FlowColumns, BasicType>> = {
  file: 'STRING',
  protocol: 'STRING',
  client: 'STRING',
  clientPort: 'INT32',
  server: 'STRING',
  serverPort: 'INT32',
  vlan: 'INT32',
  packets: 'INT64',
  bytes: 'INT64',
  startUs: 'INT64',
  durationUs: 'INT64',
  endReason: 'STRING',
  state: 'STRING',
  kind: 'STRING',
  sni: 'STRING',
  alpn: 'STRING',
  version: 'STRING',
  ech: 'BOOLEAN',
};
const NAMES = Object.keys(TYPES) as (keyof FlowColumns)[];
const ROWS_A_GROUP = 1_000;
/** A flow has a duration of its own. */
const STATISTIC_PREFIX = 'statistics_';
const FLOAT_BYTES = 4;

type Cell = string | number | bigint | boolean | null | Uint8Array;

export class FeatureFile {
  rows = 0;
  readonly #name: string;
  /** Until it is whole the file has another name. */
  readonly #partial: string;
  readonly #writer: ParquetWriter;
  readonly #schema: readonly SchemaElement[];
  #columns: Cell[][];

  /** @throws InputError when the file cannot be written */
  constructor(name: string, spec: FeatureSpec) {
    this.#name = name;
    this.#partial = `${name}.partial`;
    this.#schema = schemaOf(spec.seriesSteps);
    this.#columns = this.#schema.slice(1).map(() => []);
    try {
      this.#writer = new ParquetWriter({
        writer: fileWriter(this.#partial),
        schema: [...this.#schema],
        codec: 'GZIP',
        compressors: { GZIP: (bytes) => gzipSync(bytes) },
        kvMetadata: [
          {
            key: 'sluice.features',
            value: JSON.stringify({ version: FEATURE_VERSION, ...spec }),
          },
        ],
        createdBy: 'sluice',
      });
    } catch (cause) {
      throw new InputError(
        'ERR_OUTPUT',
        `${name} cannot be written: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /** @param packets of the flow that the features go by */
  add(flow: FlowColumns, features: Features, packets: number): void {
    const cells: Cell[] = [
      ...NAMES.map((name) => {
        const value = flow[name];
        return TYPES[name] === 'INT64' ? BigInt(value as number) : value;
      }),
      packets,
      features.handshakeBytes,
      littleEndian(features.series),
      ...features.statistics,
    ];
    this.#columns.forEach((column, i) => {
      column.push(cells[i] ?? null);
    });
    this.rows++;
    if (this.#columns[0]?.length === ROWS_A_GROUP) this.#writeGroup();
  }

  /** The file is whole from here on. */
  finish(): void {
    this.#writeGroup();
    this.#writer.finish();
    renameSync(this.#partial, this.#name);
  }

  /** Leaves nothing behind. */
  discard(): void {
    rmSync(this.#partial, { force: true });
  }

  #writeGroup(): void {
    const columns = this.#columns;
    if (columns[0]?.length === 0) return;
    this.#columns = columns.map(() => []);
    this.#writer.write({
      columnData: columns.map((data, i) => ({
        name: this.#schema[i + 1]?.name ?? '',
        data,
        // Words repeat; of numbers and tensors an index of bounds would only cost.
        statistics: false,
      })),
      rowGroupSize: ROWS_A_GROUP,
    });
  }
}

function schemaOf(seriesSteps: number): SchemaElement[] {
  const flow = NAMES.map((name): SchemaElement => {
    const type = TYPES[name];
    return {
      name,
      repetition_type: 'OPTIONAL',
      ...(type === 'STRING'
        ? { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
        : { type: type as 'INT32' | 'INT64' | 'BOOLEAN' }),
    };
  });
  const tensor = (name: string, bytes: number): SchemaElement => ({
    name,
    type: 'FIXED_LEN_BYTE_ARRAY',
    type_length: bytes,
    repetition_type: 'REQUIRED',
  });
  const columns: SchemaElement[] = [
    ...flow,
    { name: 'packetsSeen', type: 'INT32', repetition_type: 'REQUIRED' },
    tensor('handshakeBytes', HANDSHAKE_MESSAGES * HANDSHAKE_BYTES),
    tensor('series', seriesSteps * SERIES_CHANNELS * FLOAT_BYTES),
    ...STATISTICS.map(
      (name): SchemaElement => ({
        name: `${STATISTIC_PREFIX}${name}`,
        type: 'DOUBLE',
        repetition_type: 'REQUIRED',
      }),
    ),
  ];
  return [{ name: 'root', num_children: columns.length }, ...columns];
}

/** Every machine that the addon runs on is little endian (native/src/flow-record.hpp). */
function littleEndian(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
