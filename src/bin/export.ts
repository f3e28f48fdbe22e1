// `sluice export`: starts the exporter as a process of its own. The program that routers run imports neither training nor
// export; in a checkout they lie beside it.

import { Command } from 'commander';
import { runProgram } from './training-process.ts';

export function exportCommand(): Command {
  return (
    new Command('export')
      .description(
        'turn a trained run into an int8 bundle (in a checkout with the training)',
      )
      // The exporter knows its own options, --help among them.
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .argument('[options...]', 'sluice export --help tells')
      .action(runExporter)
  );
}

async function runExporter(_options: unknown, _flags: unknown, command: Command) {
  process.exitCode = await runProgram('export/export.js', command.args);
}
