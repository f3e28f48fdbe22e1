// `lab` without a subcommand, `lab doctor`, `lab clean`: traffic of real software, batch by batch.

import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { SERVICES } from '../models/labels.ts';
import { InputError } from '../src/errors.ts';
import { playableBy } from './batch/plan.ts';
import { playSeries } from './batch/series.ts';
import { removeLeftovers } from './net/leftovers.ts';
import { loadProfiles } from './net/profile.ts';
import { loadScenarios, type NamedScenario } from './scenario/load.ts';
import { CLIENTS } from './software/clients.ts';
import { SERVERS } from './software/servers.ts';
import { build, checkMachine, RECIPES, ROOT, TOOLS } from './software/toolchain.ts';

const SEED = 20_261_125;
const FLOWS = 5000;
const SEATS = 10;
const PLAY_SECONDS = 150;
const SCENARIOS = join(ROOT, 'lab/scenarios');
const PROFILES = join(ROOT, 'lab/profiles.yaml');

interface Surroundings {
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

interface MakeOptions {
  readonly services?: readonly string[];
  readonly scenarios?: readonly string[];
  readonly clients?: readonly string[];
  readonly servers?: readonly string[];
  readonly flows: number;
  readonly seed: number;
  readonly out: string;
  readonly seats: number;
  readonly seconds: number;
  readonly brief: boolean;
}

export function addSoftwareCommands(program: Command, around: Surroundings): void {
  program
    .command('make', { isDefault: true })
    .description(
      'play scenarios with real clients and servers; batches of captures with a label for each flow',
    )
    .option('--services <names>', `of ${SERVICES.join(', ')}`, list)
    .option('--scenarios <names>', 'only these, such as mail/imap-inbox', list)
    .option('--clients <names>', `only this client software: ${names(CLIENTS)}`, list)
    .option('--servers <names>', `only this server software: ${names(SERVERS)}`, list)
    .option(
      '--flows <number>',
      'flows of ten packets or more, all told',
      wholeNumber,
      FLOWS,
    )
    .option('--seed <number>', 'seed of all draws', wholeNumber, SEED)
    .option(
      '--out <directory>',
      'where the batches go; one that has some is gone on with',
      'runs/lab',
    )
    .option(
      '--seats <number>',
      'computers that play at the same time',
      wholeNumber,
      SEATS,
    )
    .option('--seconds <number>', 'for which a batch plays', wholeNumber, PLAY_SECONDS)
    .option(
      '--brief',
      'small captures, to be shown: 512 packets of a flow, and of their payload 4 KiB a direction',
      false,
    )
    .action((options: MakeOptions) => make(options, around));
  program
    .command('doctor')
    .description('tell which software this machine has for the lab, and what is missing')
    .action(() => doctor(around));
  program
    .command('clean')
    .description(
      'remove what a run that was killed has left: namespaces, processes, folders',
    )
    .action(async () => {
      const removed = await removeLeftovers();
      for (const what of removed) around.tell(`removed ${what}`);
      if (removed.length === 0) around.tell('nothing was left behind');
    });
}

async function make(options: MakeOptions, { tell, signal }: Surroundings): Promise<void> {
  const scenarios = chosenScenarios(options);
  const clients = chosen('client software', CLIENTS, options.clients);
  const servers = chosen('server software', SERVERS, options.servers);
  checkMachine();
  for (const what of await removeLeftovers())
    tell(`lab: removed ${what}, left by a killed run`);
  setUp(tell);
  const able = (lacking: string | undefined, name: string): boolean => {
    if (lacking !== undefined) tell(`lab: without ${name}: ${lacking}`);
    return lacking === undefined;
  };
  const software = {
    clients: needed(
      'client',
      clients.filter((one) => able(one.lacking(), one.name)),
    ),
    servers: needed(
      'server',
      servers.filter((one) => able(one.lacking(), one.name)),
    ),
  };
  if (
    !software.clients.some(
      (one) => playableBy(one, scenarios, software.servers).length > 0,
    )
  ) {
    throw new InputError(
      'ERR_LAB_SOFTWARE',
      'none of these clients can play any of these scenarios with these servers: leave out --clients, --servers or --scenarios',
    );
  }
  await playSeries({
    ...options,
    ...software,
    scenarios,
    profiles: loadProfiles(PROFILES),
    playMs: options.seconds * 1000,
    tools: TOOLS,
    tell,
    signal,
  });
}

/** Builds what is missing. @throws InputError: without the emulator nothing goes. */
function setUp(tell: (line: string) => void): void {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    const lacking = build(recipe, tell);
    if (lacking === undefined) continue;
    if (name === 'emulator')
      throw new InputError('ERR_LAB_TOOL', `${lacking}: apt-get install cmake g++`);
    tell(`lab: without ${lacking}`);
  }
}

function doctor({ tell }: Surroundings): void {
  let fault: InputError | undefined;
  try {
    checkMachine();
    setUp(tell);
  } catch (caught) {
    if (!(caught instanceof InputError)) throw caught;
    fault = caught;
  }
  const row = (
    kind: string,
    name: string,
    stack: string,
    lacking: string | undefined,
  ): void => {
    process.stdout.write(
      `${kind}  ${name.padEnd(14)} ${stack.padEnd(10)} ${lacking ?? 'ready'}\n`,
    );
  };
  for (const one of CLIENTS) row('client', one.name, one.stack, one.lacking());
  for (const one of SERVERS) row('server', one.name, one.stack, one.lacking());
  if (fault !== undefined) throw fault;
}

function chosenScenarios({
  services,
  scenarios,
}: Pick<MakeOptions, 'services' | 'scenarios'>): readonly NamedScenario[] {
  const all = chosen('scenario', loadScenarios(SCENARIOS), scenarios);
  for (const name of services ?? []) {
    if (!all.some(({ service }) => service === name)) {
      throw new InputError(
        'ERR_LAB_SERVICE',
        `no scenarios for service "${name}": expected some of ${SERVICES.join(', ')}`,
      );
    }
  }
  return all.filter(({ service }) => services?.includes(service) ?? true);
}

function chosen<T extends { readonly name: string }>(
  kind: string,
  all: readonly T[],
  wanted: readonly string[] | undefined,
): readonly T[] {
  const unknown = wanted?.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new InputError(
      'ERR_LAB_SOFTWARE',
      `no ${kind} "${unknown}": expected some of ${names(all)}`,
    );
  }
  return wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
}

function needed<T>(kind: string, some: readonly T[]): readonly T[] {
  if (some.length > 0) return some;
  throw new InputError(
    'ERR_LAB_SOFTWARE',
    `no ${kind} software is ready: npm run lab -- doctor tells what is missing`,
  );
}

function names(of: readonly { readonly name: string }[]): string {
  return of.map(({ name }) => name).join(', ');
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number of 1 or more');
  return number;
}
