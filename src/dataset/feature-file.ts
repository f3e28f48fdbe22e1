// Features of flows -> a Parquet file, one row a flow: `sluice features --parquet`.

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
import { littleEndian, type ParquetColumn, ParquetFile } from './parquet-file.ts';

/** What a row tells of its flow beside the features: the names of `sluice flows --json`. */
const FLOW_COLUMNS = {
  file: 'string',
  protocol: 'string',
  client: 'string',
  clientPort: 'int32',
  server: 'string',
  serverPort: 'int32',
  vlan: 'int32',
  packets: 'int64',
  bytes: 'int64',
  startUs: 'int64',
  durationUs: 'int64',
  endReason: 'string',
  state: 'string',
  kind: 'string',
  sni: 'string',
  alpn: 'string',
  version: 'string',
  ech: 'boolean',
} as const;
type FlowColumn = keyof typeof FLOW_COLUMNS;

export type FlowColumns = {
  readonly [K in FlowColumn]: CellOf<(typeof FLOW_COLUMNS)[K]> | null;
};
type CellOf<T> = T extends 'string' ? string : T extends 'boolean' ? boolean : number;

const NAMES = Object.keys(FLOW_COLUMNS) as FlowColumn[];
/** A flow has a duration of its own. */
const STATISTIC_PREFIX = 'statistics_';
const FLOAT_BYTES = 4;

export class FeatureFile {
  readonly #file: ParquetFile;

  /** @throws InputError when the file cannot be written */
  constructor(name: string, spec: FeatureSpec) {
    const told = JSON.stringify({ version: FEATURE_VERSION, ...spec });
    this.#file = new ParquetFile(name, {
      columns: columnsOf(spec.seriesSteps),
      metadata: [['sluice.features', told]],
    });
  }

  get rows(): number {
    return this.#file.rows;
  }

  /** @param packets of the flow that the features go by */
  add(flow: FlowColumns, features: Features, packets: number): void {
    this.#file.add([
      ...NAMES.map((name) => flow[name]),
      packets,
      features.handshakeBytes,
      littleEndian(features.series),
      ...features.statistics,
    ]);
  }

  /** The file is whole from here on. */
  finish(): void {
    this.#file.finish();
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#file.discard();
  }
}

function columnsOf(seriesSteps: number): ParquetColumn[] {
  const tensor = (name: string, bytes: number): ParquetColumn => ({
    name,
    type: 'bytes',
    bytes,
    nullable: false,
  });
  return [
    ...NAMES.map((name) => ({ name, type: FLOW_COLUMNS[name], nullable: true })),
    { name: 'packetsSeen', type: 'int32', nullable: false },
    tensor('handshakeBytes', HANDSHAKE_MESSAGES * HANDSHAKE_BYTES),
    tensor('series', seriesSteps * SERIES_CHANNELS * FLOAT_BYTES),
    ...STATISTICS.map(
      (name): ParquetColumn => ({
        name: `${STATISTIC_PREFIX}${name}`,
        type: 'double',
        nullable: false,
      }),
    ),
  ];
}
