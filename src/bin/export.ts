// `sluice export`: starts the exporter as a process of its own. The program that routers run imports neither training nor
// export; in a checkout they lie beside it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { InputError } from '../errors.ts';

const EXPORTER = fileURLToPath(new URL('../../export/export.js', import.meta.url));

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
  if (!existsSync(EXPORTER)) {
    throw new InputError(
      'ERR_EXPORT',
      'the exporter is not installed here; run sluice export in a checkout, after npm run setup:training and npm run build',
    );
  }
  const child = spawn(process.execPath, [EXPORTER, ...command.args], {
    stdio: 'inherit',
  });
  process.exitCode = await endOf(child);
}

/** Passes signals on; a child that a signal ended has 128 and its number, as shells have it. */
async function endOf(child: ChildProcess): Promise<number> {
  const passOn = (signal: NodeJS.Signals) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, passOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']),
      );
    });
  } finally {
    for (const signal of signals) process.off(signal, passOn);
  }
}
