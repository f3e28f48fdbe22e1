// `sluice dataset build CAPTURES... --out DIR`: labelled flows of captures, as Parquet.

import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { type BuildOutcome, buildShards } from '../dataset/build-dataset.ts';
import { type BuildOptions, labelsSha256, readLabels } from '../dataset/build-options.ts';
import type { DatasetManifest } from '../dataset/dataset-manifest.ts';
import { findCaptures } from '../dataset/find-captures.ts';
import { finishDataset } from '../dataset/finish-dataset.ts';
import { readKey } from '../dataset/pseudonyms.ts';
import { FEATURE_VERSION } from '../features/features.ts';
import { EARLY_PACKETS, SERIES_STEPS_MAX } from '../features/shapes.ts';
import type { CanaryField } from '../handshake/canary.ts';
import { OCCLUSION_VERSION } from '../handshake/occlusion.ts';
import { BuildProgressLine } from './build-progress.ts';
import { showOption } from './feature-options.ts';
import { type LabelSourceOptions, withLabelOptions } from './label-options.ts';
import { numberListOption, numberOption } from './options.ts';
import {
  EXIT_FAILED,
  EXIT_INTERRUPTED,
  EXIT_WRONG_INPUT,
  emit,
  formatBytes,
  interruption,
  say,
  thousands,
} from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

const WORKERS_MAX = 256;

interface BuildCommandOptions extends LabelSourceOptions, TunnelsOption {
  readonly out: string;
  readonly workers: number;
  readonly packets: number;
  readonly looks: readonly number[];
  readonly show: readonly CanaryField[];
  readonly keepSni?: true;
  readonly key?: string;
  readonly onlyLabelled?: true;
  readonly minPackets: number;
  readonly shardsOnly?: true;
  readonly json?: true;
}

export function datasetBuildCommand(): Command {
  const command = new Command('build')
    .description('build a data set of captures: labelled flows, as Parquet')
    .argument(
      '<captures...>',
      'files, or folders to look for *.pcap and *.pcapng[.gz] in',
    )
    .requiredOption('--out <directory>', 'the data set; what stands in it is kept');
  return withLabelOptions(command)
    .addOption(
      new Option('--workers <number>', 'threads, each at one capture')
        .argParser(numberOption(1, WORKERS_MAX))
        .default(availableParallelism(), 'one a core'),
    )
    .addOption(
      new Option('--packets <N>', 'packets that are stored of a flow')
        .argParser(numberOption(1, SERIES_STEPS_MAX))
        .default(SERIES_STEPS_MAX),
    )
    .addOption(
      new Option('--looks <list>', 'packet numbers of ready-made statistics')
        .argParser(numberListOption(1, SERIES_STEPS_MAX))
        .default(EARLY_PACKETS, EARLY_PACKETS.join(',')),
    )
    .addOption(showOption())
    .option('--keep-sni', 'keep server names in the clear')
    .option(
      '--key <file>',
      'key of the pseudonyms: links clients and hosts over captures; whoever has it can find out names',
    )
    .option('--only-labelled', 'leave out flows without a label')
    .addOption(
      new Option('--min-packets <number>', 'leave out flows with fewer packets')
        .argParser(numberOption(1, Number.MAX_SAFE_INTEGER))
        .default(1),
    )
    .addOption(tunnelsOption())
    .option(
      '--shards-only',
      'build shards and print a line each for `sluice dataset finish`: for several machines on one folder',
    )
    .option('--json', 'one JSON object at the end')
    .addHelpText(
      'after',
      `
A capture NAME.pcap[.gz] may have NAME.labels.jsonl beside it, which tells what its flows are; else server names do.
Started again after whatever ended it, a build goes on: shards that stand with the same options are kept. The result
depends neither on the number of workers nor on the order of captures. Columns, privacy: docs/dataset.md.`,
    )
    .action(build);
}

async function build(
  names: readonly string[],
  options: BuildCommandOptions,
): Promise<void> {
  const started = performance.now();
  const signal = interruption();
  const built = await buildOptions(options);
  const { files, faults } = await findCaptures(names);
  for (const { path, message } of faults) say(`${path}: ${message}`);
  const line = new BuildProgressLine(process.stderr, () => performance.now());
  let outcome: BuildOutcome;
  try {
    outcome = await buildShards(files, built, {
      workers: options.workers,
      signal,
      // What a task of a cluster says is read when it has ended.
      onProgress: (progress) => options.shardsOnly !== true && line.update(progress),
      onWords: (words) => line.words(words),
    });
  } catch (fault) {
    line.clear();
    if ((fault as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      say(
        `a worker ran out of memory: fewer --workers, or big captures cut by time (editcap -i); what is built stands in ${options.out}`,
      );
      process.exitCode = EXIT_FAILED;
      return;
    }
    if (!signal.aborted) throw fault;
    say(
      `stopped; what is built stands in ${options.out}: the same command goes on from there`,
    );
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  line.clear();
  const seconds = (performance.now() - started) / 1000;
  const wrong = faults.length + outcome.faults;
  if (wrong > 0) process.exitCode = EXIT_WRONG_INPUT;
  if (options.shardsOnly === true) {
    for (const { entry } of outcome.shards) await emit(JSON.stringify(entry));
    tell(outcome, seconds);
    return;
  }
  if (outcome.shards.length === 0 && wrong > 0) {
    say(`no capture could be read: ${options.out} is as it was`);
    return;
  }
  const { manifest, strays } = await finishDataset(
    options.out,
    outcome.shards.map(({ entry }) => entry),
  );
  tell(outcome, seconds);
  tellDataset(options.out, manifest, strays);
  if (options.json === true) {
    await emit(JSON.stringify(summaryOf(outcome, { manifest, seconds, faults: wrong })));
  }
}

/** @throws InputError: labels or key cannot be read */
async function buildOptions(options: BuildCommandOptions): Promise<BuildOptions> {
  const { labels, ut1 } = options;
  const files = { labels, ...(ut1 !== undefined && { ut1 }) };
  // Read once here, so that what is wrong in it is said once.
  await readLabels(files);
  const looks = [...new Set(options.looks)].sort((a, b) => a - b);
  return {
    directory: options.out,
    dataset: {
      featureVersion: FEATURE_VERSION,
      occlusion: { version: OCCLUSION_VERSION, shown: [...new Set(options.show)].sort() },
      storedPackets: options.packets,
      looks,
      keepSni: options.keepSni === true,
      labelsSha256: await labelsSha256(files),
    },
    labels: files,
    key: options.key === undefined ? undefined : await readKey(options.key),
    tunnels: options.tunnels,
    onlyLabelled: options.onlyLabelled === true,
    minPackets: options.minPackets,
  };
}

function tell(outcome: BuildOutcome, seconds: number): void {
  const { shards, packets, flows, bytes } = outcome;
  const kept = shards.filter((shard) => shard.kept).length;
  say(
    `${shards.length - kept} captures built, ${kept} stood already; ${formatBytes(bytes)}, ${thousands(packets)} packets, ${thousands(flows)} flows in ${seconds.toFixed(1)} s: ${formatBytes(bytes / seconds)}/s, ${thousands(packets / seconds)} packets/s, ${thousands(flows / seconds)} flows/s`,
  );
}

/** The end of a build and of `sluice dataset finish`. */
export function tellDataset(
  directory: string,
  manifest: DatasetManifest,
  strays: number,
): void {
  const { captures, rows, contentSha256 } = manifest;
  if (strays > 0) {
    say(
      `${directory}: ${strays} shards are of captures that were not named; they stay in the folder, not in the data set`,
    );
  }
  say(
    `${directory}: ${thousands(rows)} rows of ${captures.length} captures, content ${contentSha256}`,
  );
}

/** The object of `sluice dataset build --json`. Names are a contract. */
function summaryOf(
  { shards, duplicates, packets, flows, bytes }: BuildOutcome,
  end: {
    readonly manifest: DatasetManifest;
    readonly seconds: number;
    readonly faults: number;
  },
) {
  const { manifest, seconds, faults } = end;
  const kept = shards.filter((shard) => shard.kept).length;
  return {
    captures: manifest.captures.length,
    built: shards.length - kept,
    kept,
    duplicates,
    faults,
    rows: manifest.rows,
    packets,
    flows,
    bytes,
    seconds,
    rates: {
      bytesPerSecond: Math.round(bytes / seconds),
      packetsPerSecond: Math.round(packets / seconds),
      flowsPerSecond: Math.round(flows / seconds),
    },
    contentSha256: manifest.contentSha256,
  };
}
