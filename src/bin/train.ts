// `sluice train`: a configuration and a data set -> a trained network in runs/NAME. The work is done by dist/models/train-command.js.

import { Command, Option } from 'commander';
import { InputError } from '../errors.ts';
import { numberOption } from './options.ts';
import { runTrainingProcess } from './training-process.ts';

interface TrainOptions {
  readonly config?: string;
  readonly keys?: true;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('train a network on a data set, as a configuration says')
    .option('--config <file>', 'YAML; --keys lists its keys')
    .option('--keys', 'print every key of a configuration, with default and meaning')
    .option('-o, --out <directory>', 'where the run is written (default: runs/NAME)')
    .option('--data <directory>', 'the data set, instead of data.directory')
    .option('--split <name>', 'its split, instead of data.split')
    .option('--seed <N>', 'instead of training.seed', numberOption(0, 2 ** 31))
    .option('--epochs <N>', 'instead of training.epochs', numberOption(1, 100_000))
    .addOption(
      new Option('--backend <name>', 'what computes (default: the fastest there is)') //
        .choices(['native', 'wasm']),
    )
    .option('--restart', 'begin anew over a finished run or a checkpoint')
    .option('--search <file>', 'try settings out of this space, YAML; validation judges')
    .option('--minutes <N>', 'time of a search (default: 30)', numberOption(1, 100_000))
    .option('--json', 'one JSON object of the run, when it is done')
    .addHelpText(
      'after',
      `
After each epoch a checkpoint is written: after a crash, kill or Ctrl-C (exit code 130) the same command goes on from there,
with the curve that it would have had. The run holds run.json, weights.json, weights.bin, loss.svg, accuracy.svg.
docs/training.md has an example of a configuration.`,
    )
    .action(train);
}

async function train(options: TrainOptions): Promise<void> {
  if (options.config === undefined && options.keys === undefined) {
    throw new InputError(
      'ERR_OPTION',
      '--config FILE is missing; --keys lists what such a file may hold, docs/training.md has an example',
    );
  }
  process.exitCode = await runTrainingProcess('train-command', { ...options });
}
