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

/** Prints what builds take, median and spread of some runs. */
export async function benchDataset(): Promise<void> {
  const wanted = Array.from({ length: CAPTURES }, (_, i) => ({
    packets: PACKETS + i,
    packetsPerFlow: PACKETS_PER_FLOW,
  }));
  const [many, ...made] = await captures([MANY, ...wanted], (text) =>
    console.error(text),
  );
  if (many === undefined) throw new Error('no capture to read');
  const paths = made.map(({ path }) => path);
  const sum = (of: (capture: Capture) => number): number =>
    made.reduce((total, capture) => total + of(capture), 0);
  const flows = sum(({ facts }) => facts.flows);
  const runs: { one: Cost; two: Cost }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    runs.push({ one: await build(paths, 1), two: await build(paths, 2) });
  }
  const of = (value: (run: { one: Cost; two: Cost }) => number): Spread =>
    spread(runs.map(value));
  console.log(
    `\ndata set of ${CAPTURES} captures: ${whole(sum(({ facts }) => facts.packets))} packets, ${whole(flows)} TLS flows, ${whole(sum(({ facts }) => facts.fileBytes))} bytes; ${ROUNDS} runs in turns`,
  );
  const mb = sum(({ facts }) => facts.fileBytes) / 1e6;
  line(
    'one worker: flows a CPU second',
    of(({ one }) => flows / one.cpuSeconds),
    0,
  );
  line(
    'one worker: MB a CPU second',
    of(({ one }) => mb / one.cpuSeconds),
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
    'one worker: peak memory, MB',
    of(({ one }) => one.peakBytes / 1e6),
    0,
  );
  line(
    'two workers: peak memory, MB',
    of(({ two }) => two.peakBytes / 1e6),
    0,
  );
  const big = await build([many.path], 1);
  const few = Math.min(...runs.map(({ one }) => one.peakBytes));
  const bytesAFlow = (big.peakBytes - few) / (many.facts.flows - flows / CAPTURES);
  console.log(
    `a capture of ${whole(many.facts.flows)} flows: ${whole(many.facts.flows / big.cpuSeconds)} flows a CPU second, peak memory ${whole(big.peakBytes / 1e6)} MB: ${whole(bytesAFlow)} bytes a flow more than the small ones`,
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
