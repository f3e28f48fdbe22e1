// `sluice dataset build` over captures of some thousand TLS flows: what a core makes, what a second worker adds, and how memory
// grows with the flows of a capture. Runs of one and of two workers take turns, since a shared machine's speed wanders.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Capture, captures } from './peers/captures.ts';
import { type Cost, inDirectory, measure } from './peers/measure.ts';
import { type Spread, spread } from './peers/report.ts';

const PROGRAM = fileURLToPath(new URL('../src/bin/sluice.js', import.meta.url));
/** Of about one size, and not two with the same content. */
const CAPTURES = 4;
const PACKETS = 50_000;
const PACKETS_PER_FLOW = 40;
const ROUNDS = 5;
/** One capture with many flows. */
const MANY = { packets: 750_000, packetsPerFlow: 16 };

function build(paths: readonly string[], workers: number): Promise<Cost> {
  return inDirectory((out) =>
    measure(
      [
        ...[process.execPath, PROGRAM, 'dataset', 'build', ...paths],
        ...['--out', join(out, 'set'), '--workers', String(workers)],
      ],
      new AbortController().signal,
    ),
  );
}

/** One round: the same captures, by one worker and by two. */
interface Round {
  readonly one: Cost;
  readonly two: Cost;
}

/** Prints what builds take, median and spread of some runs. */
export async function benchDataset(): Promise<void> {
  const wanted = Array.from({ length: CAPTURES }, (_, i) => ({
    packets: PACKETS + i,
    packetsPerFlow: PACKETS_PER_FLOW,
  }));
  const say = (text: string): void => console.error(text);
  const [many, ...made] = await captures([MANY, ...wanted], say);
  if (many === undefined) throw new Error('no capture to read');
  const paths = made.map(({ path }) => path);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ one: await build(paths, 1), two: await build(paths, 2) });
  }
  tellRounds(made, rounds);
  await tellMany(many, made, Math.min(...rounds.map(({ one }) => one.peakBytes)));
}

const sum = (made: readonly Capture[], of: (facts: Capture['facts']) => number): number =>
  made.reduce((total, { facts }) => total + of(facts), 0);

function tellRounds(made: readonly Capture[], rounds: readonly Round[]): void {
  const flows = sum(made, (facts) => facts.flows);
  const bytes = sum(made, (facts) => facts.fileBytes);
  const packets = sum(made, (facts) => facts.packets);
  const of = (value: (round: Round) => number): Spread => spread(rounds.map(value));
  console.log(
    `\ndata set of ${CAPTURES} captures: ${whole(packets)} packets, ${whole(flows)} TLS flows, ${whole(bytes)} bytes; ${ROUNDS} runs in turns`,
  );
  line(
    'one worker: flows a CPU second',
    of(({ one }) => flows / one.cpuSeconds),
    0,
  );
  line(
    'one worker: MB a CPU second',
    of(({ one }) => bytes / 1e6 / one.cpuSeconds),
    1,
  );
  line(
    'one worker: flows a second',
    of(({ one }) => flows / one.wallSeconds),
    0,
  );
  line(
    'two workers: flows a second',
    of(({ two }) => flows / two.wallSeconds),
    0,
  );
  line(
    'two workers / one, speed',
    of((r) => r.one.wallSeconds / r.two.wallSeconds),
    2,
  );
  line(
    'two workers / one, CPU time',
    of((r) => r.two.cpuSeconds / r.one.cpuSeconds),
    2,
  );
  line(
    'one worker: peak memory, MB',
    of(({ one }) => one.peakBytes / 1e6),
    0,
  );
  line(
    'two workers: peak memory, MB',
    of(({ two }) => two.peakBytes / 1e6),
    0,
  );
}

/** One capture with many flows: what each takes of memory. */
async function tellMany(
  many: Capture,
  made: readonly Capture[],
  leastBytes: number,
): Promise<void> {
  const cost = await build([many.path], 1);
  const { flows } = many.facts;
  const more = flows - sum(made, (facts) => facts.flows) / CAPTURES;
  console.log(
    `a capture of ${whole(flows)} flows: ${whole(flows / cost.cpuSeconds)} flows a CPU second, peak memory ${whole(cost.peakBytes / 1e6)} MB: ${whole((cost.peakBytes - leastBytes) / more)} bytes a flow more than the small ones, a fuller flow table included`,
  );
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

function line(what: string, { median, min, max }: Spread, digits: number): void {
  const number = (value: number): string =>
    value.toLocaleString('en-US', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  console.log(
    `${what.padEnd(34)} ${number(median).padStart(9)} [${number(min)}-${number(max)}]`,
  );
}
