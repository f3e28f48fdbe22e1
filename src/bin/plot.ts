// `sluice plot FILE --flow N`: a flow's packets as a picture (SVG), for people.

import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { SERIES_STEPS_MAX } from '../features/shapes.ts';
import type { FlowRecord } from '../flow/flow-record.ts';
import { emptySummary, readFlows } from '../flow/read-flows.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { flowSvg } from '../plot/flow-svg.ts';
import { endpoint, flowLine } from './flow-line.ts';
import { numberOption } from './options.ts';
import { formatBytes, say, thousands } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

interface PlotCommandOptions extends TunnelsOption {
  readonly flow: number;
  readonly out?: string;
  readonly x: 'time' | 'packet';
  readonly packets: number;
}

export function plotCommand(): Command {
  return new Command('plot')
    .description("draw a flow's packets, sizes over time, as SVG")
    .argument('<file>', 'pcap or pcapng, also gzip; - is standard input')
    .requiredOption(
      '--flow <N>',
      'number of the flow: its line in `sluice flows`, from 1',
      numberOption(1, 2 ** 31),
    )
    .option('--out <file>', 'write there, not to standard output')
    .addOption(
      new Option('--x <axis>', 'what runs along the picture')
        .choices(['time', 'packet'])
        .default('time'),
    )
    .addOption(
      new Option('--packets <N>', 'first packets to draw')
        .default(SERIES_STEPS_MAX)
        .argParser(numberOption(1, SERIES_STEPS_MAX)),
    )
    .addOption(tunnelsOption())
    .addHelpText('after', '\nThe picture names addresses and the server of the capture.')
    .action(plot);
}

async function plot(file: string, options: PlotCommandOptions): Promise<void> {
  const picture = await pictureOf(file, options);
  if (options.out === undefined) {
    process.stdout.write(picture);
    return;
  }
  try {
    writeFileSync(options.out, picture);
  } catch (cause) {
    throw new InputError(
      'ERR_OUTPUT',
      `${options.out} cannot be written: ${(cause as Error).message}`,
      { cause },
    );
  }
  say(`${options.out}: flow ${options.flow} of ${file}`);
}

/** @throws InputError when there is no such flow */
async function pictureOf(
  file: string,
  { flow: wanted, tunnels, packets, x }: PlotCommandOptions,
): Promise<string> {
  let number = 0;
  const table = { tunnels, seriesPackets: packets };
  for await (const batch of readFlows(file, table, emptySummary())) {
    for (const flow of batch) {
      if (++number === wanted) return flowSvg(flow, { x, ...wordsOf(file, flow) });
    }
  }
  throw new InputError(
    'ERR_NO_FLOW',
    `${file}: no flow ${wanted}, it has ${number}; \`sluice flows\` lists them`,
  );
}

function wordsOf(file: string, flow: FlowRecord): { title: string; subtitle: string } {
  const line = flowLine(file, flow, factsOf(handshakeOf(flow)));
  const { sni, version } = line.handshake;
  const [drawn, all] = [flow.seriesPackets, line.packets].map(thousands);
  const shown =
    flow.seriesPackets < line.packets
      ? `first ${drawn} of ${all} packets`
      : flow.seriesPackets > line.packets
        ? `${all} packets, some joined by an offload: ${drawn} on the wire`
        : `${all} packets`;
  const words = [
    line.protocol.toUpperCase(),
    shown,
    formatBytes(line.bytes),
    `${(line.durationUs / 1e6).toFixed(3)} s`,
    ...(version === null ? [] : [version]),
    ...(sni === null ? [] : [sni]),
  ];
  const client = endpoint(line.client, line.clientPort);
  const server = endpoint(line.server, line.serverPort);
  return { title: `${client} → ${server}`, subtitle: words.join(', ') };
}
