// `sluice flows FILE...`: what flow table and handshake parser saw, without a model.

import { Command } from 'commander';
import { factsOf } from '../handshake/facts.ts';
import { type Handshake, handshakeOf } from '../handshake/handshake.ts';
import { HandshakeCounts } from '../handshake/handshake-counts.ts';
import { countersLine, visitCaptures } from './captures.ts';
import { FLOW_COLUMNS, flowCells, flowLine } from './flow-line.ts';
import { dumpHandshake, helloLines } from './handshake-dump.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

const COLUMNS: readonly Column[] = [
  ...FLOW_COLUMNS,
  { title: 'version', width: 7, align: 'left' },
  { title: 'alpn', width: 11, align: 'left' },
  { title: 'server name', width: 0, align: 'left' },
];

export function flowsCommand(): Command {
  return new Command('flows')
    .description('show the flows of captures and what their handshakes say in clear')
    .argument('<file...>', 'pcap or pcapng, also gzip; - is standard input')
    .option('--json', 'one JSON object a flow')
    .option('--summary', 'the counters only')
    .option(
      '--handshake',
      'the hellos too: what was seen, [what is occluded], what a model sees',
    )
    .addOption(tunnelsOption())
    .addHelpText('after', '\nFlows that never carried payload are counted, not listed.')
    .action(showFlows);
}

interface FlowsOptions extends TunnelsOption {
  readonly json?: true;
  readonly summary?: true;
  readonly handshake?: true;
}

async function showFlows(files: readonly string[], options: FlowsOptions): Promise<void> {
  const json = options.json === true;
  const rows = options.summary !== true;
  if (rows && !json) await emit(heading(COLUMNS));
  // Counters alone need neither series nor payload.
  const least = rows ? {} : { seriesPackets: 1, payloadBytes: 64 };
  const table = { tunnels: options.tunnels, ...least };
  let handshakes = new HandshakeCounts();
  await visitCaptures(files, table, {
    batch: async (file, batch) => {
      if (!rows) return;
      for (const flow of batch) {
        const handshake = handshakeOf(flow);
        handshakes.add(handshake);
        const line = flowLine(file, flow, factsOf(handshake));
        if (json) {
          const hellos = options.handshake ? { hellos: helloLines(handshake) } : {};
          await emit(JSON.stringify({ ...line, ...hellos }));
          continue;
        }
        const { version, quicVersion, alpn, sni } = line.handshake;
        const named = version ?? quicVersion ?? '-';
        await emit(row(COLUMNS, [...flowCells(line), named, alpn ?? '-', sni ?? '-']));
        if (options.handshake) await emitDump(handshake);
      }
    },
    end: (file, { counters }) => {
      if (counters !== undefined) say(`${file}: ${countersLine([counters])}`);
      const seen = Object.entries(handshakes.byName());
      if (seen.length > 0) {
        const parts = seen.map(([name, count]) => `${name} ${thousands(count)}`);
        say(`${file}: handshakes: ${parts.join(', ')}`);
      }
      handshakes = new HandshakeCounts();
    },
  });
}

async function emitDump(handshake: Handshake): Promise<void> {
  // https://no-color.org
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const dump = dumpHandshake(handshake, colour);
  if (dump !== '') await emit(dump);
}
