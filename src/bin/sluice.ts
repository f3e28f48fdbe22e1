#!/usr/bin/env -S node --max-semi-space-size=4
// The command line: argv, signals and exit codes, nothing else. 0 done, 1 failed at work, 2 wrong input.
// The flag above bounds the garbage of flows that waits to be collected: 30 MB less for an agent.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT_FAILED, EXIT_WRONG_INPUT, isWrongInput, say } from './terminal.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
) as { version: string; description: string };

/** Loaded only where wanted: what one of them needs costs the others a tenth of a second. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  replay: async () => (await import('./replay.ts')).replayCommand(),
  flows: async () => (await import('./flows.ts')).flowsCommand(),
  features: async () => (await import('./features.ts')).featuresCommand(),
  plot: async () => (await import('./plot.ts')).plotCommand(),
  capture: async () => (await import('./capture.ts')).captureCommand(),
  agent: async () => (await import('./agent.ts')).agentCommand(manifest.version),
  collect: async () => (await import('./collect.ts')).collectCommand(),
  controller: async () => (await import('./controller.ts')).controllerCommand(),
  dataset: async () => (await import('./dataset.ts')).datasetCommand(),
  bundle: async () => (await import('./bundle.ts')).bundleCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  train: async () => (await import('./train.ts')).trainCommand(),
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
};

const program = new Command('sluice')
  .description(`${manifest.description}.`)
  .version(manifest.version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });
const named = SUBCOMMANDS[process.argv[2] ?? ''];
for (const load of named === undefined ? Object.values(SUBCOMMANDS) : [named]) {
  // exitOverride is not inherited by commands that were made apart.
  program.addCommand((await load()).exitOverride());
}

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
    for (const line of fault.message.split('\n')) say(line);
    process.exitCode = EXIT_WRONG_INPUT;
  } else {
    say(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
    process.exitCode = EXIT_FAILED;
  }
}
