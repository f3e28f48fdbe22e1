#!/usr/bin/env node
// The command line: argv, signals and exit codes, nothing else. 0 done, 1 failed at work, 2 wrong input.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { captureCommand } from './capture.ts';
import { doctorCommand } from './doctor.ts';
import { flowsCommand } from './flows.ts';
import { replayCommand } from './replay.ts';
import { EXIT_FAILED, EXIT_WRONG_INPUT, isWrongInput, say } from './terminal.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string; description: string };

const program = new Command('sluice')
  .description(`${manifest.description}.`)
  .version(manifest.version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .addCommand(replayCommand())
  .addCommand(flowsCommand())
  .addCommand(captureCommand())
  .addCommand(doctorCommand());
// exitOverride is not inherited by commands that were made apart.
for (const command of program.commands) command.exitOverride();

// A reader that has seen enough (`| head`) is no fault.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  process.exit(fault.code === 'EPIPE' ? 0 : EXIT_FAILED);
});

try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof CommanderError) {
    // Commander has printed its line; help and version end with 0.
    process.exitCode = fault.exitCode === 0 ? 0 : EXIT_WRONG_INPUT;
  } else if (isWrongInput(fault)) {
    say(fault.message);
    process.exitCode = EXIT_WRONG_INPUT;
  } else {
    say(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
    process.exitCode = EXIT_FAILED;
  }
}
