// A configuration -> an agent at work: source, model, windows, reports, put together and taken down in order.

import { loadBundle } from '../bundle/load-bundle.ts';
import { featureSpecOf } from '../bundle/manifest.ts';
import { trustWords } from '../bundle/trust.ts';
import { interfaceFacts, offloadWarnings } from '../capture/interface-facts.ts';
import { loadNative } from '../capture/native.ts';
import type { Prediction } from '../classify/classifier.ts';
import { ClassifyQueue, type QueueCounters } from '../classify/classify-queue.ts';
import { ConfigError } from '../errors.ts';
import type { FlowTableOptions } from '../flow/flow-table.ts';
import { LIVE_DEFAULTS } from '../flow/live-flows.ts';
import { RECORD_LAYOUT_VERSION } from '../flow/record-layout.ts';
import { type WindowCounts, WindowTally } from '../report/window-tally.ts';
import { Agent, type AgentTimings, type Seen } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { type FlowSource, LiveSource, ReadSource, type Speed } from './flow-source.ts';
import { type PredictionLine, predictionLine } from './prediction-line.ts';
import { openReporting, type Reporting, type ReportingLog } from './reporting.ts';

export interface AgentRun {
  readonly config: AgentConfig;
  /** Captures to be read in place of the interface. */
  readonly files: readonly string[];
  readonly speed: Speed;
  /** Of the program. */
  readonly version: string;
  readonly signal: AbortSignal;
  readonly log: ReportingLog;
  /** Told of every label; undefined: nobody wants to know. */
  readonly predicted: ((line: PredictionLine) => void) | undefined;
  /** Told of every window, once its report is on disk or has been given up. */
  readonly window: (counts: WindowCounts) => void;
}

/** What a run came to. */
export interface AgentSummary {
  readonly packets: number;
  readonly queue: QueueCounters;
  readonly timings: AgentTimings;
  /** Flows by kind, version of QUIC and state of their handshake. */
  readonly handshakes: Readonly<Record<string, number>>;
  readonly tableMs: number;
  /** From the start of the run. */
  readonly firstPredictionMs: number | undefined;
  readonly seconds: number;
  /** Why it ended, where that is a fault. */
  readonly fault: string | undefined;
}

/** Time for reports to arrive once everything else has ended. */
const GRACE_MS = 5_000;

/**
 * Runs an agent until its source ends or `signal` aborts.
 *
 * @throws SluiceError what keeps it from starting
 */
export async function runAgent(run: AgentRun): Promise<AgentSummary> {
  const { config, log, signal } = run;
  const start = performance.now();
  const { trustedKeys, allowUnsigned } = config.classify;
  const bundle = await loadBundle(config.classify.bundle, {
    keys: trustedKeys,
    allowUnsigned,
  });
  const { manifest } = bundle;
  const { packets } = featureSpecOf(manifest);
  const model = `${manifest.name}@${manifest.model.sha256.slice(0, 12)}`;
  const source = openSource(run, packets);
  let reporting: Reporting | undefined;
  try {
    reporting = await openReporting(config, { version: run.version, model }, log);
    let firstMs: number | undefined;
    const tally = new WindowTally(Date.now());
    const agent = new Agent({
      source,
      packets,
      tally,
      maxFlows: config.flows.maxFlows,
      labelled: (prediction: Prediction, seen: Seen) => {
        firstMs ??= performance.now() - start;
        run.predicted?.(
          predictionLine(prediction, seen, { model, addresses: config.output.addresses }),
        );
      },
    });
    const queue = await ClassifyQueue.open<Seen>(
      bundle,
      config.classify,
      (prediction, seen) => agent.answered(prediction, seen),
    );
    log.info(
      `model ${model}, ${manifest.classes.length} classes, ${trustWords(bundle.origin)}`,
    );
    const windows = new Windows(run, tally, reporting, () => totalsOf(source, queue));
    try {
      await agent.run(queue, signal);
    } finally {
      await windows.end();
      await queue.close();
    }
    return {
      packets: source.totals().packets,
      queue: queue.counters(),
      timings: agent.timings(),
      handshakes: agent.handshakes(),
      tableMs: source.tableMs,
      firstPredictionMs: firstMs,
      seconds: (performance.now() - start) / 1000,
      fault: source.fault,
    };
  } finally {
    await reporting?.close(GRACE_MS);
    source.close();
  }
}

function openSource(
  { config, files, speed, log }: AgentRun,
  seriesPackets: number,
): FlowSource {
  const { capture, flows, decision } = config;
  const table: Partial<FlowTableOptions> = {
    ...flows,
    seriesPackets,
    readyPackets: decision.packets,
    readyAfterMs: decision.afterMs,
    tcp: capture.protocols.includes('tcp'),
    udp: capture.protocols.includes('udp'),
    ports: capture.ports,
    tunnels: capture.tunnels,
    ...(capture.mtuBytes !== undefined && { mtu: capture.mtuBytes }),
  };
  if (files.length > 0) return new ReadSource(files, speed, table);
  if (config.interface === undefined) {
    throw new ConfigError(
      'ERR_CONFIG',
      'no interface: name one with --interface or in the configuration, or captures with --read',
    );
  }
  const facts = interfaceFacts(loadNative(RECORD_LAYOUT_VERSION), config.interface);
  const mtu = capture.mtuBytes ?? Math.min(facts.mtu, 65_535);
  const source = new LiveSource({
    ...LIVE_DEFAULTS,
    interface: config.interface,
    rings: capture.rings,
    blocks: capture.ringBlocks,
    blockBytes: capture.ringBlockBytes,
    retireMs: capture.retireMs,
    snapBytes: capture.snapBytes,
    promiscuous: capture.promiscuous,
    ignoreOutgoing: capture.ignoreOutgoing,
    table: { ...table, mtu },
  });
  for (const warning of offloadWarnings(facts)) log.warn(warning);
  log.info(`listening on ${config.interface}`);
  return source;
}

function totalsOf(source: FlowSource, queue: ClassifyQueue<Seen>) {
  const { drops, lost } = source.totals();
  return { drops, lost: { ...lost, predictions: queue.counters().refused } };
}

/** Ends a window every `windowMs`, and the last one when all is over. */
class Windows {
  readonly #close: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();

  constructor(
    { config, window }: AgentRun,
    tally: WindowTally,
    reporting: Reporting,
    totals: () => Parameters<WindowTally['close']>[1],
  ) {
    this.#close = async () => {
      const counts = tally.close(Date.now(), totals());
      await reporting.add(counts);
      // After the spool has it: a window that was told of outlives a crash.
      window(counts);
    };
    this.#timer = setInterval(() => this.#next(), config.report.windowMs);
  }

  /** One after the other: their numbers are given in the order of time. */
  #next(): void {
    this.#last = this.#last.then(this.#close);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#next();
    await this.#last;
  }
}
