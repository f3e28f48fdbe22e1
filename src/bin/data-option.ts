// `--data DIR`: shared by `sluice controller` and its subcommands.

import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';

/** What the option adds to a subcommand's own. */
export interface DataOption {
  /** Absolute. */
  readonly data: string;
}

export function dataOption(): Option {
  const state = process.env.XDG_STATE_HOME ?? '';
  const [folder, name] =
    state === ''
      ? ['sluice-controller', './sluice-controller']
      : [join(state, 'sluice', 'controller'), '$XDG_STATE_HOME/sluice/controller'];
  return new Option('--data <directory>', 'database and admin token')
    .default(resolve(folder), name)
    .argParser((text) => resolve(text));
}

/** The folder for a subcommand of `sluice controller`: its --data is taken by that command, wherever it stands. */
export function dataOf(command: Command): string {
  return command.optsWithGlobals<DataOption>().data;
}
