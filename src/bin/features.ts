// `sluice features FILE...`: the tensors that a model would get of each flow, for scripts, for Parquet, and a look at them.

import { Command } from 'commander';
import { FeatureFile } from '../dataset/feature-file.ts';
import { type Features, featuresOf } from '../features/features.ts';
import { normaliseStatistics, type StatisticsNormaliser } from '../features/normalise.ts';
import { SERIES_CHANNELS } from '../features/shapes.ts';
import { STATISTICS, type StatisticName } from '../features/statistics-table.ts';
import { cutRecord } from '../flow/cut-record.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { countersLine, visitCaptures } from './captures.ts';
import {
  addFeatureOptions,
  type FeatureOptions,
  type WantedFeatures,
  wantedFeatures,
} from './feature-options.ts';
import { FLOW_COLUMNS, type FlowLine, flowCells, flowLine } from './flow-line.ts';
import { type Column, emit, heading, row, say } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

/** A look: the rest is in --json and --parquet. */
const SHOWN: readonly (readonly [title: string, name: StatisticName])[] = [
  ['pkts up', 'packetsUp'],
  ['pkts down', 'packetsDown'],
  ['mean up', 'sizeUpMean'],
  ['mean down', 'sizeDownMean'],
  ['iat ms', 'iatMeanUs'],
];
const COLUMNS: readonly Column[] = [
  ...FLOW_COLUMNS,
  ...SHOWN.map(([title]) => ({ title, width: 9, align: 'right' as const })),
];

interface FeaturesOptions extends FeatureOptions, TunnelsOption {
  readonly json?: true;
  readonly parquet?: string;
}

export function featuresCommand(): Command {
  const command = new Command('features')
    .description('show what a model would get of the flows of captures')
    .argument('<file...>', 'pcap or pcapng, also gzip; - is standard input')
    .option('--json', 'one JSON object a flow')
    .option('--parquet <file>', 'write a Parquet file, one row a flow');
  return addFeatureOptions(command)
    .addOption(tunnelsOption())
    .addHelpText(
      'after',
      `
A line of --json is that of \`sluice flows\` with handshakeBytes (base64 of 3 x 600 bytes, the server's name and the like
left out), series (a row a packet: time, size, direction; rows of padding are left out) and statistics (raw, by name; null
has no value, "Infinity" is one). With --bundle also normalisedStatistics, as its model reads them. The defaults are the
paper's. Everything is explained in docs/features.md.`,
    )
    .action(showFeatures);
}

async function showFeatures(
  files: readonly string[],
  options: FeaturesOptions,
): Promise<void> {
  const wanted = await wantedFeatures(options);
  const { spec, cut } = wanted;
  const json = options.json === true;
  const look = !json && options.parquet === undefined;
  const file =
    options.parquet === undefined ? undefined : new FeatureFile(options.parquet, spec);
  if (look) await emit(heading(COLUMNS));
  const table = {
    tunnels: options.tunnels,
    seriesPackets: Math.max(spec.packets, cut ?? 0),
  };
  try {
    await visitCaptures(files, table, {
      batch: async (name, batch) => {
        for (const flow of batch) {
          const { line, features, packets } = readFlow(name, flow, wanted);
          file?.add({ ...line, ...line.handshake }, features, packets);
          if (json) await emit(jsonLine(line, features, wanted.normaliser));
          else if (look) await emit(row(COLUMNS, cellsOf(line, features)));
        }
      },
      end: (name, { counters }) => {
        if (counters !== undefined) say(`${name}: ${countersLine([counters])}`);
      },
    });
    file?.finish();
  } catch (fault) {
    file?.discard();
    throw fault;
  }
  if (file !== undefined) say(`${options.parquet}: ${file.rows} flows`);
}

interface ReadFlow {
  readonly line: FlowLine;
  readonly features: Features;
  /** That the features go by, whether they count or not. */
  readonly packets: number;
}

function readFlow(
  name: string,
  flow: FlowRecord,
  { spec, cut }: WantedFeatures,
): ReadFlow {
  const seen = cut === undefined ? flow : cutRecord(flow, cut);
  const handshake = handshakeOf(seen);
  const looked = cut === undefined ? spec : { ...spec, packets: cut };
  return {
    line: flowLine(name, flow, factsOf(handshake)),
    features: featuresOf(seen, handshake, looked),
    packets: Math.min(seen.seriesPackets, looked.packets),
  };
}

function jsonLine(
  line: FlowLine,
  features: Features,
  normaliser: StatisticsNormaliser | undefined,
): string {
  const statistics = Object.fromEntries(
    STATISTICS.map((name, s) => [name, jsonNumber(features.statistics[s])]),
  );
  return JSON.stringify({
    ...line,
    handshakeBytes: Buffer.from(features.handshakeBytes).toString('base64'),
    series: rowsOf(features.series),
    statistics,
    ...(normaliser !== undefined && {
      normalisedStatistics: normalised(features.statistics, normaliser),
    }),
  });
}

/** JSON knows neither NaN nor infinity: a number, null, "Infinity" or "-Infinity". */
function jsonNumber(value: number | undefined): number | string | null {
  if (value === undefined || Number.isNaN(value)) return null;
  return Number.isFinite(value) ? value : String(value);
}

/** [T, C] -> rows without padding: its direction is 0. */
function rowsOf(series: Float32Array): number[][] {
  const rows: number[][] = [];
  for (let at = 0; at < series.length && series[at + 2] !== 0; at += SERIES_CHANNELS) {
    rows.push([...series.subarray(at, at + SERIES_CHANNELS)]);
  }
  return rows;
}

function normalised(raw: Float64Array, normaliser: StatisticsNormaliser): number[] {
  const into = new Float32Array(raw.length);
  normaliseStatistics(raw, normaliser, into);
  return [...into];
}

function cellsOf(line: FlowLine, { statistics }: Features): string[] {
  const cells = SHOWN.map(([, name]) => {
    const value = statistics[STATISTICS.indexOf(name)] ?? Number.NaN;
    if (Number.isNaN(value)) return '-';
    if (name.startsWith('packets')) return String(value);
    return (name.endsWith('Us') ? value / 1000 : value).toFixed(1);
  });
  return [...flowCells(line), ...cells];
}
