// `sluice flows FILE...`: what flow table and handshake parser saw, without a model.

import { Command } from 'commander';
import { countersLine, visitCaptures } from './captures.ts';
import { say, thousands } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

/** Counters alone need neither series nor payload, and so hardly any pool. */
const COUNTERS_ONLY = { seriesPackets: 0, payloadBytes: 0, poolBytes: 131_072 };

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
  const summary = options.summary === true;
  // Loaded only where wanted: it brings the parser of handshakes.
  const list = summary
    ? undefined
    : (await import('./flow-list.ts')).flowList({
        json: options.json === true,
        hellos: options.handshake === true,
      });
  await list?.begin();
  const table = { tunnels: options.tunnels, ...(summary ? COUNTERS_ONLY : {}) };
  await visitCaptures(files, table, {
    batch: async (file, batch) => list?.batch(file, batch),
    end: (file, { counters }) => {
      if (counters !== undefined) say(`${file}: ${countersLine([counters])}`);
      const handshakes = Object.entries(list?.takeHandshakes() ?? {});
      if (handshakes.length > 0) {
        const parts = handshakes.map(([name, count]) => `${name} ${thousands(count)}`);
        say(`${file}: handshakes: ${parts.join(', ')}`);
      }
    },
  });
}
