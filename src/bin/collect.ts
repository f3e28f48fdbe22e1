// `sluice collect`: labelled flows of a live interface, without names and addresses, into files for training.

import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { type FlowSource, LiveSource, ReadSource } from '../agent/flow-source.ts';
import { interfaceFacts, offloadWarnings } from '../capture/interface-facts.ts';
import { loadNative } from '../capture/native.ts';
import { labelsSha256 } from '../dataset/build-options.ts';
import { type CollectCounters, Collector } from '../dataset/collect.ts';
import { readKey } from '../dataset/pseudonyms.ts';
import { InputError } from '../errors.ts';
import { SERIES_STEPS_MAX } from '../features/shapes.ts';
import { RECORD_LAYOUT_VERSION } from '../flow/record-layout.ts';
import {
  type LabelSourceOptions,
  labelTable,
  withLabelOptions,
} from './label-options.ts';
import { addListenOptions, type LiveChoice, liveOptions } from './live-options.ts';
import { bytesOption, numberOption, secondsOption } from './options.ts';
import {
  EXIT_FAILED,
  emit,
  formatBytes,
  interruption,
  say,
  thousands,
} from './terminal.ts';

interface Options
  extends LabelSourceOptions,
    Omit<LiveChoice, 'interface' | 'ready' | 'readyAfter'> {
  readonly out: string;
  readonly interface?: string;
  readonly read?: readonly string[];
  readonly packets: number;
  readonly perClass: number;
  readonly unlabelled?: true;
  readonly minPackets: number;
  readonly startGrain: number;
  readonly key?: string;
  readonly maxBytes: number;
  readonly rotateBytes: number;
  readonly rotateMinutes: number;
  readonly maxSessions: number;
  readonly stats: number;
  readonly json?: true;
}

const MIB = 1024 * 1024;
const DAY_SECONDS = 86_400;
const TICK_MS = 1_000;

export function collectCommand(): Command {
  const command = new Command('collect')
    .description(
      'write labelled flows of a live interface for training, without names and addresses',
    )
    .requiredOption('-o, --out <directory>', 'where the files go; a folder of its own')
    .addOption(new Option('-i, --interface <name>', 'where to listen').conflicts('read'))
    .option('-r, --read <file...>', 'captures in place of an interface, to try it');
  addRowOptions(command);
  addFileOptions(command);
  return addListenOptions(withLabelOptions(command))
    .addHelpText(
      'after',
      '\nNeeds CAP_NET_RAW to listen. SIGINT and SIGTERM end it in good order: flows are written, the file is whole.\n' +
        'Into a data set: sluice dataset import collected DIRECTORY --out DATASET. docs/collect.md has more.',
    )
    .action(collect);
}

function addRowOptions(command: Command): void {
  command
    .option(
      '--packets <N>',
      'packets that are stored of a flow',
      numberOption(1, SERIES_STEPS_MAX),
      128,
    )
    .option(
      '--per-class <N>',
      'flows of a service kept a day, over all its hours; 0: all',
      numberOption(0, 1e9),
      5_000,
    )
    .option('--unlabelled', 'flows without a label too, as many a day')
    .option(
      '--min-packets <N>',
      'flows with fewer packets are left out',
      numberOption(1, SERIES_STEPS_MAX),
      3,
    )
    .option(
      '--start-grain <seconds>',
      'starts of flows are rounded down to it; 0: not written at all',
      numberOption(0, DAY_SECONDS),
      3_600,
    )
    .option(
      '--key <file>',
      'of pseudonyms, at least 16 bytes: clients are the same over runs (default: a new one a run, kept nowhere)',
    )
    .option(
      '--max-sessions <N>',
      'sessions that are remembered at a time',
      numberOption(16, 2 ** 22),
      32_768,
    );
}

function addFileOptions(command: Command): void {
  command
    .option(
      '--max-bytes <bytes>',
      'of all files; the oldest goes first',
      bytesOption,
      256 * MIB,
    )
    .option('--rotate-bytes <bytes>', 'of one file', bytesOption, 32 * MIB)
    .option(
      '--rotate-minutes <N>',
      'a file is ended after so long',
      numberOption(1, 1_440),
      15,
    )
    .option(
      '--stats <seconds>',
      'counters on stderr so often, 0: at the end only',
      secondsOption,
      60,
    )
    .option('--json', 'one JSON object a file, and the counters as often as --stats');
}

async function collect(options: Options): Promise<void> {
  const collector = await openCollector(options);
  const source = openSource(options);
  const stale = collector.removeStale();
  if (stale > 0) {
    say(`${options.out}: ${stale} files removed that a run left without their end`);
  }
  const timers = timersOf(options, collector, source);
  let fault: string | undefined;
  try {
    for await (const batch of source.batches(interruption())) {
      const nowMs = Date.now();
      for (const flow of batch) collector.take(flow, nowMs);
      batch.release();
    }
  } finally {
    for (const timer of timers) clearInterval(timer);
    collector.finish();
    await tell(options, collector, source);
    fault = source.fault;
    source.close();
  }
  if (fault !== undefined) say(fault);
  if (fault !== undefined || collector.counters().rowsLost > 0) {
    process.exitCode = EXIT_FAILED;
  }
}

/** @throws InputError */
async function openCollector(options: Options): Promise<Collector> {
  const { maxBytes, rotateBytes, out } = options;
  if (rotateBytes < MIB || maxBytes < 2 * rotateBytes) {
    throw new InputError(
      'ERR_COLLECT',
      `--max-bytes ${maxBytes} and --rotate-bytes ${rotateBytes}: expected 1M a file at least, and room for two`,
    );
  }
  return new Collector({
    directory: out,
    labels: await labelTable(options),
    labelsSha256: await labelsSha256(options),
    key: options.key === undefined ? randomBytes(32) : await readKey(options.key),
    packets: options.packets,
    startGrainUs: options.startGrain * 1e6,
    perClass: options.perClass,
    unlabelled: options.unlabelled === true,
    minPackets: options.minPackets,
    maxSessions: options.maxSessions,
    maxBytes,
    rotateBytes,
    rotateMs: options.rotateMinutes * 60_000,
    finished: (file) => {
      if (options.json === true) void emit(JSON.stringify({ file }));
    },
    failed: (fault, rows) => say(`${fault.message}; ${thousands(rows)} rows are lost`),
  });
}

/** @throws InputError, CaptureError as LiveFlows.open */
function openSource(options: Options): FlowSource {
  const { read, interface: name, packets } = options;
  const { protocols, ports, tunnels, maxFlows, mtu } = options;
  if (read !== undefined) {
    const table = { ports, tunnels, maxFlows, seriesPackets: packets };
    return new ReadSource(read, 'max', {
      ...table,
      tcp: protocols.includes('tcp'),
      udp: protocols.includes('udp'),
      ...(mtu !== undefined && { mtu }),
    });
  }
  if (name === undefined) {
    throw new InputError(
      'ERR_COLLECT',
      'no interface: name one with --interface, or captures with --read',
    );
  }
  const facts = interfaceFacts(loadNative(RECORD_LAYOUT_VERSION), name);
  const choice = { ...options, interface: name, ready: [], readyAfter: 0 };
  const live = liveOptions(choice, facts);
  const source = new LiveSource({
    ...live,
    table: { ...live.table, seriesPackets: packets },
  });
  for (const warning of offloadWarnings(facts)) say(warning);
  say(`${name}: listening; files go to ${options.out}`);
  return source;
}

function timersOf(
  options: Options,
  collector: Collector,
  source: FlowSource,
): NodeJS.Timeout[] {
  const timers = [setInterval(() => collector.tick(Date.now()), TICK_MS)];
  if (options.stats > 0) {
    timers.push(
      setInterval(() => void tell(options, collector, source), options.stats * 1000),
    );
  }
  return timers;
}

async function tell(
  { json }: Options,
  collector: Collector,
  source: FlowSource,
): Promise<void> {
  const counters = collector.counters();
  const { packets, drops, lost } = source.totals();
  say(`${thousands(packets)} packets; ${countersLine(counters)}`);
  if (json === true) {
    await emit(JSON.stringify({ counters: { packets, drops, lost, ...counters } }));
  }
}

function countersLine(counters: CollectCounters): string {
  const { flows, byName, bySession, written, sampledOut, rowsLost } = counters;
  const { bytesOnDisk, filesDropped, services } = counters;
  const classes = Object.entries(services)
    .map(([name, count]) => `${name} ${thousands(count)}`)
    .join(', ');
  const parts = [
    `${thousands(flows)} flows`,
    `${thousands(byName)} labelled by name, ${thousands(bySession)} by session`,
    `${thousands(written)} written${classes === '' ? '' : ` (${classes})`}`,
    `${formatBytes(bytesOnDisk)} on disk`,
  ];
  if (sampledOut > 0)
    parts.push(`${thousands(sampledOut)} over the share of their class`);
  if (filesDropped > 0) parts.push(`${thousands(filesDropped)} old files removed`);
  if (rowsLost > 0) parts.push(`${thousands(rowsLost)} rows lost`);
  return parts.join('; ');
}
