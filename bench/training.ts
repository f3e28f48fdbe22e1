// `npm run bench:training`: what a step of training costs with our layers, with tfjs' own, on wasm and in Keras' graph mode. All
// train the same network in processes of their own and take turns in one run, so that a machine whose speed wanders slows them
// all: what counts are the ratios of a turn. On a machine with other work the ratio of processor time is the steadier one.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chooseBackend } from '../models/backend.ts';
import { kerasPython } from './keras.ts';
import { BENCH_FLOWS, benchNetwork, ROWS, type Row } from './training-networks.ts';

const USAGE = `Times steps of training: our layers, tfjs' own, wasm, Keras.

usage: npm run bench:training -- [options]
  --rounds N   turns of each (default 9)
  --only NAME  this network's rows alone
  --json       one JSON object a row
`;

const WORKER = fileURLToPath(new URL('training-worker.js', import.meta.url));
const KERAS = fileURLToPath(new URL('../../bench/training-keras.py', import.meta.url));
/** Steps of a turn: enough to last about a second, wasm's own being slow enough. */
const STEPS = { ours: 4, stock: 2, wasm: 1, keras: 4 } as const;
type Contender = keyof typeof STEPS;

/** Seconds of a step. */
interface Cost {
  readonly wall: number;
  /** Of all threads together. */
  readonly processor: number;
}

interface Runner {
  readonly contender: Contender;
  readonly turn: () => Promise<Cost>;
  readonly end: () => void;
}

function say(text: string): void {
  process.stderr.write(`bench:training: ${text}\n`);
}

/** Starts a contender and waits until it has warmed up. */
async function start(
  contender: Contender,
  command: string,
  args: string[],
): Promise<Runner> {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done)
      throw new Error(`${contender} ended early: ${command} ${args.join(' ')}`);
    return line.value;
  };
  const end = () => stdin.end();
  const ready = await next();
  if (ready !== 'ready') throw new Error(`${contender} said ${ready}`);
  const turn = async () => {
    stdin.write(`${STEPS[contender]}\n`);
    const [wall = Number.NaN, processor = Number.NaN] = (await next())
      .split(' ')
      .map(Number);
    return { wall, processor };
  };
  return { contender, turn, end };
}

async function contenders(
  row: Row,
  directory: string,
  native: boolean,
): Promise<Runner[]> {
  const args = [WORKER, row.network, `${row.steps}`];
  const runners: Runner[] = [];
  const add = async (contender: Contender, command: string, more: string[]) => {
    runners.push(await start(contender, command, more));
  };
  if (native) {
    await add('ours', process.execPath, [...args, 'ours', 'native']);
    await add('stock', process.execPath, [...args, 'stock', 'native']);
  }
  await add('wasm', process.execPath, [...args, 'ours', 'wasm']);
  const keras = kerasPython();
  if ('python' in keras) {
    const topology = join(directory, `${row.network}-${row.steps}.json`);
    await writeFile(topology, String(benchNetwork(row).toJSON()));
    await add('keras', keras.python, [KERAS, topology]);
  }
  return runners;
}

/** Turn by turn. */
type Times = Partial<Record<Contender, Cost[]>>;

async function measure(runners: readonly Runner[], rounds: number): Promise<Times> {
  const times: Times = {};
  for (let round = 0; round < rounds; round++) {
    for (const { contender, turn } of runners) {
      times[contender] = [...(times[contender] ?? []), await turn()];
    }
  }
  return times;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Median, first and third quartile. */
function spread(values: readonly number[]): [median: number, low: number, high: number] {
  const order = sorted(values);
  const at = (share: number) =>
    order[Math.floor(share * (order.length - 1))] ?? Number.NaN;
  return [at(0.5), at(0.25), at(0.75)];
}

/** Of each turn, ours by theirs. */
function ratios(
  of: keyof Cost,
  ours: readonly Cost[],
  theirs: readonly Cost[],
): [median: number, low: number, high: number] {
  return spread(ours.map((cost, i) => cost[of] / (theirs[i]?.[of] ?? Number.NaN)));
}

function report({ network, steps, limit }: Row, times: Times): string[] {
  const lines = [`${network}, T = ${steps}, ${BENCH_FLOWS} flows a step`];
  for (const [contender, costs] of Object.entries(times)) {
    const [median, low, high] = spread(costs.map(({ wall }) => wall)).map((s) =>
      (1000 * s).toFixed(0),
    );
    const [used] = spread(costs.map(({ processor }) => processor));
    lines.push(
      `  ${contender.padEnd(6)} ${median} ms a step (quartiles ${low} to ${high}), ${(1000 * used).toFixed(0)} ms of processors`,
    );
  }
  const { ours } = times;
  if (ours === undefined) return lines;
  for (const [contender, costs] of Object.entries(times)) {
    if (contender === 'ours') continue;
    const [wall, processor] = (['wall', 'processor'] as const).map((of) =>
      ratios(of, ours, costs).map((value) => value.toFixed(2)),
    );
    lines.push(
      `  ours / ${contender} ${wall?.[0]} (quartiles ${wall?.[1]} to ${wall?.[2]}), of processor time ${processor?.[0]}` +
        (contender === 'keras' ? `; at most ${limit.toFixed(1)} wanted` : ''),
    );
  }
  return lines;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '9' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds ${values.rounds}: expected a whole number from 1 on`);
  }
  const rows = ROWS.filter(({ network }) => network === (values.only ?? network));
  if (rows.length === 0) {
    const names = new Set(ROWS.map(({ network }) => network));
    throw new Error(`--only ${values.only}: expected ${[...names].join(' or ')}`);
  }
  return { ...values, rounds, rows };
}

async function main({
  rounds,
  rows,
  json,
}: ReturnType<typeof readOptions>): Promise<void> {
  const backend = await chooseBackend();
  if (backend !== 'native') {
    say('native TensorFlow is not there, so wasm alone: npm run setup:training gets it');
  }
  const keras = kerasPython();
  if ('missing' in keras) say(keras.missing);
  if (!json)
    console.log(
      `${cpus()[0]?.model}, ${cpus().length} processors, Node ${process.version}`,
    );
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  try {
    for (const row of rows) {
      say(`${row.network}, T = ${row.steps} ...`);
      const runners = await contenders(row, directory, backend === 'native');
      const times = await measure(runners, rounds).finally(() => {
        for (const { end } of runners) end();
      });
      if (json) console.log(JSON.stringify({ ...row, secondsAStep: times }));
      else console.log(report(row, times).join('\n'));
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

try {
  const options = readOptions();
  if (options.help) process.stdout.write(USAGE);
  else await main(options);
} catch (error) {
  say((error as Error).message);
  process.exitCode = 2;
}
