// `sluice agent`: labels the flows of an interface as they come, counts them by class, reports the counts.

import { createWriteStream, type WriteStream } from 'node:fs';
import { Command, Option } from 'commander';
import pino, { type Logger } from 'pino';
import { loadConfig } from '../agent/config.ts';
import type { ConfigOverrides } from '../agent/config-tree.ts';
import type { Speed } from '../agent/flow-source.ts';
import type { PredictionLine } from '../agent/prediction-line.ts';
import { printConfig } from '../agent/print-config.ts';
import { type AgentSummary, runAgent } from '../agent/run-agent.ts';
import type { WindowCounts } from '../report/window-tally.ts';
import { numberOption } from './options.ts';
import { EXIT_FAILED, emit, interruption, thousands } from './terminal.ts';

interface Options {
  readonly config?: string;
  readonly interface?: string;
  readonly read?: readonly string[];
  readonly speed: Speed;
  readonly site?: string;
  readonly controller?: string;
  readonly tokenFile?: string;
  readonly bundle?: string;
  readonly trustedKey?: readonly string[];
  readonly allowUnsigned?: true;
  readonly windowMs?: number;
  readonly predictions?: string;
  readonly addresses?: true;
  readonly printConfig?: true;
}

export function agentCommand(version: string): Command {
  return new Command('agent')
    .description(
      'label the flows of an interface as they come, count them by class, report',
    )
    .option('-c, --config <file>', 'YAML; what follows stands over it')
    .option('-i, --interface <name>', 'where to listen')
    .option('-r, --read <file...>', 'captures in place of an interface')
    .addOption(
      new Option(
        '--speed <speed>',
        'of captures: that of their packets, or as fast as it goes',
      )
        .choices(['real', 'max'])
        .default('max'),
    )
    .option('--controller <url>', 'where reports go')
    .option('--site <name>', 'the name of this site in reports')
    .option('--token-file <file>', 'holds the token of the site')
    .option('--bundle <path>', 'the model, a directory or an archive')
    .option('--trusted-key <key...>', 'public keys whose bundles are taken')
    .option('--allow-unsigned', 'take bundles that nobody signed, or somebody unknown')
    .option('--window-ms <ms>', 'a report is of so long', numberOption(1_000, 86_400_000))
    .option('--predictions <where>', 'a JSON line a label: stdout or a file')
    .option('--addresses', 'addresses and ports in these lines')
    .option('--print-config', 'print the configuration in effect and end')
    .addHelpText(
      'after',
      '\nNeeds CAP_NET_RAW to listen. SIGINT and SIGTERM end it in good order: flows are labelled and counted, the last\n' +
        'report is sent, or stays in the spool for the next start. docs/agent.md has more.',
    )
    .action((options: Options) => act(options, version));
}

function overridesOf(options: Options): ConfigOverrides {
  const { interface: name, site, controller, tokenFile, bundle, windowMs } = options;
  const { trustedKey, allowUnsigned } = options;
  return {
    ...(name !== undefined && { interface: name }),
    ...(site !== undefined && { site }),
    ...(controller !== undefined && { controller }),
    ...(tokenFile !== undefined && { tokenFile }),
    ...(bundle !== undefined && { bundle }),
    ...(trustedKey !== undefined && { trustedKeys: trustedKey }),
    ...(allowUnsigned !== undefined && { allowUnsigned }),
    ...(windowMs !== undefined && { windowMs }),
  };
}

async function act(options: Options, version: string): Promise<void> {
  const loaded = loadConfig(options.config, process.env, overridesOf(options));
  const { predictions = loaded.output.predictions, addresses = loaded.output.addresses } =
    options;
  const config = { ...loaded, output: { ...loaded.output, predictions, addresses } };
  if (options.printConfig === true) {
    await emit(printConfig(config).trimEnd());
    return;
  }
  const logger = pino({ level: config.log.level, base: null }, pino.destination(2));
  for (const warning of config.warnings) logger.warn(warning);
  const output = outputOf(predictions);
  const summary = await runAgent({
    config,
    files: options.read ?? [],
    speed: options.speed,
    version,
    signal: interruption(),
    log: { info: (text) => logger.info(text), warn: (text) => logger.warn(text) },
    predicted: output.write,
    window: (counts) => tellWindow(logger, counts),
  });
  await output.close();
  tellSummary(logger, summary, output.dropped());
  if (summary.fault !== undefined) {
    logger.error(summary.fault);
    process.exitCode = EXIT_FAILED;
  }
}

interface Output {
  readonly write: ((line: PredictionLine) => void) | undefined;
  readonly dropped: () => number;
  readonly close: () => Promise<void>;
}

/** Bytes that a slow reader may be behind: what comes then is left out, and counted. */
const BEHIND_MAX_BYTES = 8 * 1024 * 1024;

/** Where the lines of labels go. */
function outputOf(where: string): Output {
  if (where === 'none') {
    return { write: undefined, dropped: () => 0, close: async () => {} };
  }
  const file =
    where === 'stdout'
      ? undefined
      : createWriteStream(where, { flags: 'a', mode: 0o600 });
  const stream: WriteStream | typeof process.stdout = file ?? process.stdout;
  let dropped = 0;
  return {
    write: (line) => {
      if (stream.writableLength > BEHIND_MAX_BYTES) dropped++;
      else stream.write(`${JSON.stringify(line)}\n`);
    },
    dropped: () => dropped,
    close: () =>
      new Promise((resolve) => (file === undefined ? resolve() : file.end(resolve))),
  };
}

function tellWindow(
  logger: Logger,
  { startMs, endMs, classes, drops, lost }: WindowCounts,
): void {
  const flows = Object.values(classes).reduce((sum, count) => sum + count.flows, 0);
  logger.info({ startMs, endMs, flows, classes, drops, lost }, 'window');
}

function tellSummary(logger: Logger, summary: AgentSummary, linesDropped: number): void {
  const { packets, queue, timings, firstPredictionMs, seconds } = summary;
  logger.info(
    {
      seconds: Number(seconds.toFixed(3)),
      packets,
      flows: timings.flows,
      handshakes: summary.handshakes,
      classified: queue.classified,
      refused: queue.refused,
      linesDropped,
      firstPredictionMs: firstPredictionMs && Math.round(firstPredictionMs),
      tableMs: Math.round(summary.tableMs),
      featuresMs: Math.round(timings.handshakeAndFeatures / 1000),
      modelMs: Math.round(queue.modelMicroseconds / 1000),
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    },
    `ended: ${thousands(packets)} packets, ${thousands(timings.flows)} flows`,
  );
}
