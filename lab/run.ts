// The lab's command line: makes labelled traffic of real software (the default command), the small data set of the demo
// and its capture, or tells what there is. Data goes to standard output, words to standard error; exit code 2 is a
// machine or an input that will not do.

import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { InputError } from '../src/errors.ts';
import { describeBatches } from './batch/describe.ts';
import { makeCapture } from './capture.ts';
import { addCompareCommand } from './compare/compare-command.ts';
import { captureFacts, describe, writeFacts } from './facts.ts';
import { type FlowLabel, readLabels } from './labels.ts';
import { removeStale } from './namespaces.ts';
import { type CaptureOrder, planCapture } from './plan.ts';
import { missing, run } from './processes.ts';
import { NETWORK_DEMO, NETWORK_PROFILES } from './profiles.ts';
import { addSoftwareCommands } from './software-commands.ts';
import { TRIM, TRIM_DEMO, type TrimOptions } from './trim.ts';

const SEED_DATASET = 20_261_124;
const SEED_DEMO = 77_000_001;
/** Seeds of a run's captures are so far apart. */
const SEED_STEP = 1000;
const CAPTURES = 16;
const FLOWS_PER_CLASS = 9;
const DEMO_FLOWS_PER_CLASS = 4;
/** The demo's sessions are shorter: the file is to stay below 1 MB. */
const DEMO_SCALE = 0.6;
const EXIT_SETUP = 2;
const EXIT_INTERRUPTED = 130;

const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const stop = new AbortController();
// One for each seat that plays, and for each that rests.
setMaxListeners(0, stop.signal);

type Wanted = Omit<CaptureOrder, 'profileFlows'>;

interface MakeOptions {
  readonly seed: number;
  readonly captures: number;
  readonly out: string;
  readonly keepRaw?: string;
}

async function make(
  orders: readonly Wanted[],
  options: MakeOptions,
  trim: TrimOptions,
): Promise<void> {
  await checkMachine();
  for (const name of await removeStale())
    tell(`removed ${name}, left by a run that was killed`);
  await mkdir(options.out, { recursive: true });
  const profileFlows: Record<string, Record<string, number>> = {};
  for (const order of orders) {
    stop.signal.throwIfAborted();
    const plan = planCapture({ ...order, profileFlows });
    const { network } = plan;
    tell(
      `${plan.name}: seed ${plan.seed}, ${network.downMbit}/${network.upMbit} Mbit/s, MTU ${network.mtu}`,
    );
    const result = await makeCapture({
      plan,
      trim,
      out: options.out,
      keepRaw: options.keepRaw,
      tell,
      signal: stop.signal,
    });
    writeFacts(options.out, await captureFacts(plan, result));
    count(profileFlows, readLabels(join(options.out, `${plan.name}.labels.jsonl`)));
  }
}

function count(
  flows: Record<string, Record<string, number>>,
  labels: readonly FlowLabel[],
): void {
  for (const { service, clientProfile } of labels) {
    const own = flows[service] ?? {};
    flows[service] = own;
    own[clientProfile] = (own[clientProfile] ?? 0) + 1;
  }
}

/** @throws InputError in one line: not root, or a program is missing. */
async function checkMachine(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new InputError(
      'ERR_LAB_ROOT',
      'the lab makes network namespaces: run it as root',
    );
  }
  for (const [command, ask] of [
    ['ip', '-V'],
    ['tc', '-V'],
    ['openssl', 'version'],
    ['tcpdump', '--version'],
  ] as const) {
    await run(command, [ask]).catch((fault: unknown) => {
      throw fault instanceof InputError ? fault : missing(command);
    });
  }
}

function datasetOrders({ seed, captures }: MakeOptions): Wanted[] {
  return Array.from({ length: captures }, (_, i) => ({
    name: `lab-${String(i + 1).padStart(2, '0')}`,
    seed: seed + i * SEED_STEP,
    network: NETWORK_PROFILES[i % NETWORK_PROFILES.length] ?? NETWORK_DEMO,
    flowsPerClass: FLOWS_PER_CLASS,
    scale: 1,
    clearTraffic: false,
  }));
}

function demoOrder({ seed }: MakeOptions): Wanted {
  return {
    name: 'lab-demo',
    seed,
    network: NETWORK_DEMO,
    flowsPerClass: DEMO_FLOWS_PER_CLASS,
    scale: DEMO_SCALE,
    clearTraffic: true,
  };
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError('expected a whole number of 1 or more');
  }
  return number;
}

function commandLine(): Command {
  const program = new Command('lab')
    .description(
      'Makes labelled real traffic: clients and servers in network namespaces of its own',
    )
    .exitOverride();
  addSoftwareCommands(program, { tell, signal: stop.signal });
  addCompareCommand(program);
  const making = (name: string, what: string, seed: number, out: string): Command =>
    program
      .command(name)
      .description(what)
      .option('--seed <number>', 'seed of all draws', wholeNumber, seed)
      .option('--out <directory>', 'where the files go', out)
      .option('--keep-raw <directory>', 'keep the whole captures there too');
  making('dataset', 'make the captures of the data set', SEED_DATASET, 'lab/dataset')
    .option('--captures <number>', 'how many', wholeNumber, CAPTURES)
    .action((options: MakeOptions) => make(datasetOrders(options), options, TRIM));
  making(
    'demo',
    'make the capture for the demo and the tests',
    SEED_DEMO,
    'test/fixtures',
  ).action((options: MakeOptions) => make([demoOrder(options)], options, TRIM_DEMO));
  program
    .command('info')
    .description('tell what a folder of batches or of the small lab holds, as Markdown')
    .argument('[directory]', 'of the captures', 'lab/dataset')
    .action(async (directory: string) => {
      process.stdout.write(describeBatches(directory) ?? (await describe(directory)));
    });
  return program;
}

/** The exit code of a fault, told in one line. */
function exitCodeOf(fault: unknown): number {
  if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : EXIT_SETUP;
  if (stop.signal.aborted) {
    tell('lab: interrupted; namespaces and processes are gone');
    return EXIT_INTERRUPTED;
  }
  tell(`lab: ${fault instanceof Error ? fault.message : String(fault)}`);
  return fault instanceof InputError ? EXIT_SETUP : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort());
}
try {
  await commandLine().parseAsync();
} catch (fault) {
  process.exitCode = exitCodeOf(fault);
}
