// `sluice train`, the process that trains: started by src/bin/train.ts, which knows nothing of tfjs. Options are checked here.

import { InputError } from '../src/errors.ts';
import { BACKENDS, chooseBackend, describeBackend } from './backend.ts';
import { EXIT, endWith, interruption, say } from './command-line.ts';
import { configKeys, readTrainingConfig } from './training/read-config.ts';
import { search } from './training/search.ts';
import { readSearchSpace } from './training/search-space.ts';
import { trainNetwork } from './training/train-network.ts';
import { C45 } from './tree/c45-kind.ts';

/** What a search takes where nobody says. */
const SEARCH_MINUTES = 30;

/** As src/bin/train.ts hands them over: JSON, so that no option is parsed twice. */
interface TrainArguments {
  readonly keys?: boolean;
  readonly config?: string;
  readonly out?: string;
  readonly data?: string;
  readonly split?: string;
  readonly seed?: number;
  readonly epochs?: number;
  readonly backend?: string;
  readonly restart?: boolean;
  readonly json?: boolean;
  /** A search space instead of one training. */
  readonly search?: string;
  readonly minutes?: number;
}

async function main(options: TrainArguments): Promise<number> {
  if (options.keys === true || options.config === undefined) {
    process.stdout.write(`${configKeys().join('\n')}\n`);
    return EXIT.done;
  }
  const config = await readTrainingConfig(options.config, options);
  const wanted = BACKENDS.find((name) => name === options.backend);
  const backend = await chooseBackend(wanted);
  say(`backend     ${describeBackend(backend)}`);
  const directory = options.out ?? `runs/${config.name}`;
  const shared = { backend, signal: interruption(), say, stream: process.stderr };
  if (options.search !== undefined) {
    if (config.network.name === C45.name) {
      throw new InputError(
        'ERR_SEARCH',
        `--search: trials are judged by the loss of epochs, and ${C45.name} has none; search with a network`,
      );
    }
    const space = await readSearchSpace(options.search);
    const minutes = options.minutes ?? SEARCH_MINUTES;
    const place = options.out ?? `runs/${config.name}-search`;
    const trials = await search(config, { ...shared, directory: place, space, minutes });
    if (options.json === true) {
      for (const trial of trials) process.stdout.write(`${JSON.stringify(trial)}\n`);
    }
    return shared.signal.aborted ? EXIT.interrupted : EXIT.done;
  }
  const run = await trainNetwork(config, {
    ...shared,
    directory,
    restart: options.restart === true,
  });
  if (run === undefined) return EXIT.interrupted;
  if (options.json === true) {
    const { history, ...rest } = run;
    const last = history[run.bestEpoch - 1];
    process.stdout.write(`${JSON.stringify({ directory, ...rest, best: last })}\n`);
  }
  return EXIT.done;
}

await endWith(() => main(JSON.parse(process.argv[2] ?? '{}')));
