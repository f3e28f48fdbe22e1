// The options of every subcommand that listens to an interface.

import type { Command } from 'commander';
import type { InterfaceFacts } from '../capture/interface-facts.ts';
import { LIVE_DEFAULTS, type LiveOptions, RINGS_MAX } from '../flow/live-flows.ts';
import {
  bytesOption,
  numberListOption,
  numberOption,
  protocolsOption,
} from './options.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

/** What a person chose of them. */
export interface LiveChoice extends TunnelsOption {
  readonly interface: string;
  readonly ready: readonly number[];
  readonly readyAfter: number;
  readonly protocols: readonly string[];
  readonly ports: readonly number[];
  readonly promiscuous?: true;
  readonly ignoreOutgoing?: true;
  readonly rings: number;
  readonly blocks: number;
  readonly blockSize: number;
  readonly retireMs: number;
  readonly snap: number;
  readonly maxFlows: number;
  readonly mtu?: number;
}

export function addLiveOptions(command: Command): Command {
  return addListenOptions(addReadyOptions(command));
}

/** All but when flows are shown before their end. */
export function addListenOptions(command: Command): Command {
  return addRingOptions(addWantedOptions(command));
}

function addReadyOptions(command: Command): Command {
  return command
    .option(
      '--ready <packets>',
      'show a flow once it has so many packets: up to four steps',
      numberListOption(1, 65_535),
      [],
    )
    .option(
      '--ready-after <ms>',
      'and after so long, if it has not been shown; 0: never',
      numberOption(0, 86_400_000),
      0,
    );
}

function addWantedOptions(command: Command): Command {
  return command
    .option('--protocols <list>', 'tcp, udp', protocolsOption, ['tcp', 'udp'])
    .option(
      '--ports <list>',
      'only flows with one of these at either end',
      numberListOption(1, 65_535),
      [],
    )
    .option('--promiscuous', 'also frames that are not for this machine')
    .option('--ignore-outgoing', 'not the frames that this machine sends')
    .addOption(tunnelsOption());
}

function addRingOptions(command: Command): Command {
  const { rings, blocks, blockBytes, retireMs, snapBytes } = LIVE_DEFAULTS;
  return command
    .option(
      '--rings <number>',
      'rings and threads, flows dealt out among them',
      numberOption(1, RINGS_MAX),
      rings,
    )
    .option('--blocks <number>', 'blocks of a ring', numberOption(2, 65_536), blocks)
    .option(
      '--block-size <bytes>',
      'of a block: a power of two, as 1M or 256K',
      bytesOption,
      blockBytes,
    )
    .option(
      '--retire-ms <ms>',
      'a block is handed over after so long, full or not',
      numberOption(1, 1000),
      retireMs,
    )
    .option('--snap <bytes>', 'kept of each frame', numberOption(64, 262_144), snapBytes)
    .option(
      '--max-flows <number>',
      'flows at a time, over all rings',
      numberOption(16, 2 ** 24),
      65_536,
    )
    .option(
      '--mtu <bytes>',
      "longer TCP packets were joined by an offload (default: the interface's)",
      numberOption(0, 65_535),
    );
}

/** What a person chose and what the interface is -> how to capture. */
export function liveOptions(options: LiveChoice, facts: InterfaceFacts): LiveOptions {
  return {
    ...LIVE_DEFAULTS,
    interface: options.interface,
    rings: options.rings,
    blocks: options.blocks,
    blockBytes: options.blockSize,
    retireMs: options.retireMs,
    snapBytes: options.snap,
    promiscuous: options.promiscuous === true,
    ignoreOutgoing: options.ignoreOutgoing === true,
    table: {
      maxFlows: options.maxFlows,
      readyPackets: options.ready,
      readyAfterMs: options.readyAfter,
      tcp: options.protocols.includes('tcp'),
      udp: options.protocols.includes('udp'),
      ports: options.ports,
      tunnels: options.tunnels,
      mtu: options.mtu ?? Math.min(facts.mtu, 65_535),
    },
  };
}
