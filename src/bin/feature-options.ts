// Options that say what features are wanted: a bundle's own, or series switches one by one.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadBundle } from '../bundle/load-bundle.ts';
import { featureSpecOf } from '../bundle/manifest.ts';
import { TRUST_ANY } from '../bundle/trust.ts';
import { type FeatureSpec, PAPER_PACKETS } from '../features/features.ts';
import {
  IAT_NORMALISERS,
  type IatNormaliser,
  SIZE_NORMALISERS,
  type SizeNormaliser,
  type StatisticsNormaliser,
} from '../features/normalise.ts';
import {
  PACKET_KINDS,
  PACKET_LENGTHS,
  type PacketRule,
  recordPackets,
} from '../features/packet-rule.ts';
import { ROUTER_SERIES_STEPS, SERIES_STEPS_MAX } from '../features/shapes.ts';
import { CANARY_FIELDS, type CanaryField, isCanaryField } from '../handshake/canary.ts';
import { numberOption } from './options.ts';

export interface FeatureOptions {
  readonly bundle?: string;
  readonly packets?: number;
  readonly steps: number;
  readonly count: PacketRule['kinds'];
  readonly repeats: boolean;
  readonly length: PacketRule['length'];
  readonly iat: IatNormaliser;
  readonly size: SizeNormaliser;
  readonly show: readonly CanaryField[];
}

/** What features are wanted, and how statistics are read where a bundle says so. */
export interface WantedFeatures {
  readonly spec: FeatureSpec;
  readonly normaliser: StatisticsNormaliser | undefined;
  /** Look at each flow as it was after so many packets; undefined: whole. */
  readonly cut: number | undefined;
}

export function addFeatureOptions(command: Command): Command {
  const { counted, iat, size } = PAPER_PACKETS;
  const packets = numberOption(1, SERIES_STEPS_MAX);
  const options = [
    new Option('--steps <T>', `rows of the series at most, 1 to ${SERIES_STEPS_MAX}`)
      .default(ROUTER_SERIES_STEPS)
      .argParser(packets),
    new Option('--count <kind>', 'packets that count')
      .choices(PACKET_KINDS)
      .default(counted.kinds),
    new Option('--no-repeats', 'leave out TCP packets sent again or overtaken'),
    new Option('--length <which>', 'length that is the size of a packet')
      .choices(PACKET_LENGTHS)
      .default(counted.length),
    new Option('--iat <normaliser>', 'how inter-arrival times are written')
      .choices(Object.keys(IAT_NORMALISERS))
      .default(iat),
    new Option('--size <normaliser>', 'how sizes are written')
      .choices(Object.keys(SIZE_NORMALISERS))
      .default(size),
    showOption(),
  ];
  command
    .option('--bundle <path>', 'take all of the following from a model bundle')
    .addOption(
      new Option(
        '--packets <N>',
        'look at each flow as it was after its first N packets',
      ).argParser(packets),
    );
  for (const option of options) command.addOption(option.conflicts('bundle'));
  return command;
}

/** `--show FIELDS`: shared by the subcommands that occlude. */
export function showOption(): Option {
  return new Option(
    '--show <fields>',
    `canary fields that stay in the handshake bytes, with commas between: ${CANARY_FIELDS.join(', ')}`,
  )
    .default([], 'none')
    .argParser(canaryFields);
}

function canaryFields(text: string): readonly CanaryField[] {
  return text.split(',').map((name) => {
    if (isCanaryField(name)) return name;
    throw new InvalidArgumentError(
      `No canary field is called '${name}': give some of ${CANARY_FIELDS.join(',')}.`,
    );
  });
}

/** @throws BundleError */
export async function wantedFeatures(options: FeatureOptions): Promise<WantedFeatures> {
  const cut = options.packets;
  if (options.bundle !== undefined) {
    const { manifest } = await loadBundle(options.bundle, TRUST_ANY);
    const spec = featureSpecOf(manifest);
    return { spec, cut, normaliser: manifest.features.statistics };
  }
  const { steps, count, repeats, length, iat, size, show } = options;
  const counted = { kinds: count, repeats, length };
  const spec: FeatureSpec = {
    seriesSteps: steps,
    packets: recordPackets(steps, counted),
    counted,
    iat,
    size,
    occlusion: { shown: show },
  };
  return { spec, cut, normaliser: undefined };
}
