// `sluice flows FILE...`: what flow table and handshake parser saw, without a model.

import { Command } from 'commander';
import { countersLine, visitCaptures } from './captures.ts';
import { say } from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

/** Counters alone need neither series nor payload, and so hardly any pool. */
const COUNTERS_ONLY = { seriesPackets: 0, payloadBytes: 0, poolBytes: 131_072 };

export function flowsCommand(): Command {
  return new Command('flows')
    .description('show the flows of captures and what their handshakes say in clear')
    .argument('<file...>', 'pcap or pcapng, also gzip; - is standard input')
    .option('--json', 'one JSON object a flow')
    .option('--summary', 'the counters only')
    .addOption(tunnelsOption())
    .addHelpText('after', '\nFlows that never carried payload are counted, not listed.')
    .action(showFlows);
}

interface FlowsOptions extends TunnelsOption {
  readonly json?: true;
  readonly summary?: true;
}

async function showFlows(files: readonly string[], options: FlowsOptions): Promise<void> {
  const summary = options.summary === true;
  // Loaded only where wanted: it brings the parser of handshakes.
  const list = summary
    ? undefined
    : await (await import('./flow-list.ts')).flowList(options.json === true);
  const table = { tunnels: options.tunnels, ...(summary ? COUNTERS_ONLY : {}) };
  await visitCaptures(files, table, {
    batch: async (file, batch) => list?.(file, batch),
    end: (file, { counters }) => {
      if (counters !== undefined) say(`${file}: ${countersLine([counters])}`);
    },
  });
}
