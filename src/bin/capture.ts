// `sluice capture --interface IF`: the flows of a live interface as they get ready and end, without a model.

import { Command } from 'commander';
import { interfaceFacts, offloadWarnings } from '../capture/interface-facts.ts';
import { type CaptureReport, loadNative } from '../capture/native.ts';
import { type LiveBatch, LiveFlows } from '../flow/live-flows.ts';
import { RECORD_LAYOUT_VERSION } from '../flow/record-layout.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { countersLine } from './captures.ts';
import { FLOW_COLUMNS, flowCells, liveFlowLine } from './flow-line.ts';
import { addLiveOptions, type LiveChoice, liveOptions } from './live-options.ts';
import { secondsOption } from './options.ts';
import {
  type Column,
  EXIT_FAILED,
  emit,
  formatBytes,
  heading,
  interruption,
  row,
  say,
  thousands,
} from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'id', width: 6, align: 'right' },
  ...FLOW_COLUMNS,
  { title: 'end', width: 7, align: 'left' },
  { title: 'server name', width: 0, align: 'left' },
];

export function captureCommand(): Command {
  const command = new Command('capture')
    .description('show the flows of a live interface as they get ready and end')
    .requiredOption('-i, --interface <name>', 'where to listen')
    .option(
      '--json',
      'one JSON object a line; a flow may have several, the last is not "open"; then the counters, a line a ring',
    )
    .option('--summary', 'the counters only')
    .option('--duration <seconds>', 'end after so long', secondsOption)
    .option(
      '--stats <seconds>',
      'counters on stderr so often, 0: at the end only',
      secondsOption,
      10,
    );
  return addLiveOptions(command)
    .addHelpText(
      'after',
      '\nNeeds CAP_NET_RAW. SIGINT and SIGTERM end it in good order: what the ring holds is read, all flows are shown.\n' +
        '`sluice doctor --interface IF` tells what keeps a machine from capturing well.',
    )
    .action(capture);
}

interface Options extends LiveChoice {
  readonly json?: true;
  readonly summary?: true;
  readonly duration?: number;
  readonly stats: number;
}

async function capture(options: Options): Promise<void> {
  const facts = interfaceFacts(loadNative(RECORD_LAYOUT_VERSION), options.interface);
  const flows = LiveFlows.open(liveOptions(options, facts));
  for (const warning of offloadWarnings(facts)) say(warning);
  tellRing(options, flows);
  const stop = endOf(options.duration);
  const reporting =
    options.stats === 0
      ? undefined
      : setInterval(
          () => tellCounters(options.interface, flows.reports()),
          options.stats * 1000,
        );
  try {
    await show(flows, stop, options);
  } finally {
    clearInterval(reporting);
  }
  const reports = flows.reports();
  flows.close();
  tellCounters(options.interface, reports);
  // For machines: one object a ring, behind the flows.
  if (options.json === true) {
    for (const [ring, report] of reports.entries()) {
      await emit(
        JSON.stringify({ interface: options.interface, ring, counters: report }),
      );
    }
  }
  if (reports.some((report) => report.interfaceGone)) {
    say(
      `${options.interface}: the interface has disappeared; its flows are shown as far as they went`,
    );
    process.exitCode = EXIT_FAILED;
  }
}

/** Aborts at a signal, or after `seconds`. */
function endOf(seconds: number | undefined): AbortSignal {
  const controller = new AbortController();
  const end = () => controller.abort();
  interruption().addEventListener('abort', end, { once: true });
  // Not AbortSignal.any: of Node 20 it forgets a signal that nobody else holds.
  if (seconds !== undefined) setTimeout(end, seconds * 1000).unref();
  return controller.signal;
}

async function show(
  flows: LiveFlows,
  stop: AbortSignal,
  options: Options,
): Promise<void> {
  const json = options.json === true;
  if (options.summary !== true && !json) await emit(heading(COLUMNS));
  for await (const batch of flows.batches(stop)) {
    // Let go of at once where nothing is shown, else when its lines are made: a slow reader holds no batch.
    const lines = options.summary === true ? [] : linesOf(batch, options.interface, json);
    batch.release();
    for (const line of lines) await emit(line);
  }
}

function linesOf(batch: LiveBatch, name: string, json: boolean): string[] {
  return [...batch].map((flow) => {
    const line = liveFlowLine(name, flow, factsOf(handshakeOf(flow)));
    if (json) return JSON.stringify(line);
    const { sni } = line.handshake;
    return row(COLUMNS, [
      String(line.id),
      ...flowCells(line),
      line.endReason,
      sni ?? '-',
    ]);
  });
}

function tellRing(
  { interface: name, rings, blocks, blockSize }: Options,
  flows: LiveFlows,
): void {
  const { locked, segmentSizes, memoryBytes } = flows.facts;
  const parts = [
    `${rings} ${rings === 1 ? 'ring' : 'rings'} of ${blocks} x ${formatBytes(blockSize)}`,
    locked ? 'locked in memory' : 'not locked in memory (ulimit -l)',
    `flow table of ${formatBytes(memoryBytes * rings)}`,
  ];
  say(`${name}: listening; ${parts.join(', ')}`);
  if (!segmentSizes) {
    say(
      `${name}: the kernel does not tell the sizes of joined packets here; they are split by MSS and MTU`,
    );
  }
}

function tellCounters(name: string, reports: readonly CaptureReport[]): void {
  const sum = (of: (report: CaptureReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const parts = [
    countersLine(reports.map((report) => report.flows)),
    `kernel drops: ${thousands(sum((r) => r.ringDrops))} of ${thousands(sum((r) => r.ringPackets))}`,
  ];
  const lost = sum((r) => r.flows.flowsGivenUp);
  if (lost > 0) parts.push(`flows given up unseen: ${thousands(lost)}`);
  say(`${name}: ${parts.join('; ')}`);
}
