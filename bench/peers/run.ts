// `npm run bench:peers`: sluice beside other programs that read captures, on the same files in the same run. Processor
// time of whole processes, start-up included. Compare figures only within a run: a shared machine's speed wanders.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { formatBytes } from '../../src/bin/terminal.ts';
import { InputError } from '../../src/errors.ts';
import { type Capture, captures, type Wanted } from './captures.ts';
import { type Cost, checkMeasuring, inDirectory, measure } from './measure.ts';
import {
  captureLine,
  figuresOf,
  type Measured,
  machine,
  tableOf,
  verdicts,
} from './report.ts';
import { OURS, TOOLS, type Tool, versionOf } from './tools.ts';

const ROUNDS = 5;
/** Captures of long flows are long themselves: at 750,000 packets a third of our time would be that of starting Node. */
const CAPTURES: readonly Wanted[] = [
  { packets: 750_000, packetsPerFlow: 16 },
  { packets: 3_000_000, packetsPerFlow: 4000 },
];
const CHUNK_BYTES = 1 << 20;
const EXIT_WRONG_INPUT = 2;
const EXIT_INTERRUPTED = 130;

interface Options {
  readonly rounds: number;
  readonly packets?: number;
  readonly json?: true;
}

const stop = new AbortController();

const say = (text: string): void => {
  process.stderr.write(`bench:peers: ${text}\n`);
};

interface Present {
  readonly tool: Tool;
  readonly version: string;
}

async function compare({ rounds, packets, json }: Options): Promise<void> {
  await checkMeasuring();
  const tools = await presentTools();
  const wanted = CAPTURES.map((capture) => ({
    ...capture,
    packets: packets ?? capture.packets,
  }));
  const files = await captures(wanted, say);
  if (json) console.log(JSON.stringify({ machine: machine(), rounds }));
  else for (const line of preamble(tools, rounds)) console.log(line);
  for (const capture of files) {
    const measured = await measureAll(capture, tools, rounds);
    const figures = figuresOf(capture, measured);
    if (json) {
      const { packetsPerFlow, facts } = capture;
      for (const line of figures) {
        console.log(JSON.stringify({ capture: { packetsPerFlow, ...facts }, ...line }));
      }
      continue;
    }
    console.log(`\n${captureLine(capture)}; made of ${capture.recorded}\n`);
    console.log(tableOf(figures));
    for (const line of verdicts(figures)) console.log(line);
  }
}

function preamble(tools: readonly Present[], rounds: number): string[] {
  const { cpu, cores, memoryBytes, node, arch } = machine();
  return [
    `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}, Node ${node}, ${arch}`,
    `${rounds} rounds, each begins with the next tool; median [least-greatest]; ratios compare runs of one round.`,
    'Processor time is user and system of the whole process, start-up included; files are in the page cache.',
    'The tools do not do the same work:',
    ...tools.map(({ tool }) => `  ${tool.name.padEnd(14)} ${tool.does}`),
  ];
}

/** Those that can be started; the others are named with their cure. */
async function presentTools(): Promise<Present[]> {
  const present: Present[] = [];
  for (const tool of TOOLS) {
    const version = await versionOf(tool);
    if (version !== undefined) present.push({ tool, version });
    else say(`${tool.name} skipped: not installed, ${tool.install}`);
  }
  return present;
}

/** Rounds in which every tool runs once, each round beginning with the next tool. */
async function measureAll(
  capture: Capture,
  tools: readonly Present[],
  rounds: number,
): Promise<Measured[]> {
  const costs = tools.map((): Cost[] => []);
  const sink = createSocket('udp4').bind(0, '127.0.0.1');
  await once(sink, 'listening');
  try {
    await readOnce(capture.path);
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < tools.length; turn++) {
        const which = (round + turn) % tools.length;
        const tool = tools[which]?.tool;
        if (tool === undefined) continue;
        const cost = await inDirectory((directory) => {
          const target = {
            capture: capture.path,
            directory,
            sinkPort: sink.address().port,
          };
          return measure(tool.command(target), stop.signal);
        });
        costs[which]?.push(cost);
      }
      say(
        `${capture.packetsPerFlow} packets a flow: round ${round + 1} of ${rounds} done`,
      );
    }
  } finally {
    sink.close();
  }
  return tools.map((present, i) => ({ ...present, costs: costs[i] ?? [] }));
}

/** All tools find the file in the page cache. */
async function readOnce(path: string): Promise<void> {
  const file = await open(path);
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    while ((await file.read(buffer, 0, CHUNK_BYTES)).bytesRead > 0) {
      stop.signal.throwIfAborted();
    }
  } finally {
    await file.close();
  }
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError('expected a whole number of 1 or more');
  }
  return number;
}

const program = new Command('bench:peers')
  .description(
    `Packets per CPU second of ${TOOLS.filter(({ name }) => name !== OURS)
      .map(({ name }) => name)
      .join(', ')} beside sluice`,
  )
  .option('--rounds <number>', 'runs of each tool on each capture', wholeNumber, ROUNDS)
  .option(
    '--packets <number>',
    `packets of each capture (default: ${CAPTURES.map(({ packets }) => packets).join(' and ')})`,
    wholeNumber,
  )
  .option('--json', 'one JSON object a line: the machine, then a line a capture and tool')
  .addHelpText(
    'after',
    '\nThe captures (about 3.5 GB) are made once and kept in $XDG_CACHE_HOME/sluice or ~/.cache/sluice.',
  )
  .exitOverride()
  .action(compare);

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
try {
  await program.parseAsync();
} catch (fault) {
  if (fault instanceof CommanderError) {
    process.exitCode = fault.exitCode === 0 ? 0 : EXIT_WRONG_INPUT;
  } else {
    const interrupted = stop.signal.aborted;
    const words = fault instanceof Error ? fault.message : String(fault);
    say(interrupted ? 'interrupted, nothing runs on' : words);
    if (interrupted) process.exitCode = EXIT_INTERRUPTED;
    else process.exitCode = fault instanceof InputError ? EXIT_WRONG_INPUT : 1;
  }
}
