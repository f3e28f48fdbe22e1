// A whole agent from start to end: a capture of some thousand TLS flows at full speed, through table, features and the
// classify worker. What it takes, from its own last log line.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { captures } from './peers/captures.ts';
import { type Spread, spread } from './peers/report.ts';

const PROGRAM = fileURLToPath(new URL('../src/bin/sluice.js', import.meta.url));
const PACKETS = 200_000;
const PACKETS_PER_FLOW = 40;
const ROUNDS = 5;

/** The agent's last log line: src/bin/agent.ts. */
interface Ended {
  readonly seconds: number;
  readonly packets: number;
  readonly flows: number;
  readonly classified: number;
  readonly refused: number;
  readonly firstPredictionMs: number;
  readonly tableMs: number;
  readonly featuresMs: number;
  readonly modelMs: number;
  readonly rssMb: number;
}

function run(capture: string): Promise<Ended> {
  // As the program's first line and the script in package.json start it.
  const args = [
    '--max-semi-space-size=4',
    PROGRAM,
    'agent',
    '--read',
    capture,
    '--speed',
    'max',
  ];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (fault, _stdout, stderr) => {
      if (fault !== null) return reject(fault);
      const last = stderr.trim().split('\n').at(-1) ?? '';
      resolve(JSON.parse(last) as Ended);
    });
  });
}

/** Prints what agents take, median and spread of some runs. */
export async function benchAgent(): Promise<void> {
  const [capture] = await captures(
    [{ packets: PACKETS, packetsPerFlow: PACKETS_PER_FLOW }],
    (text) => console.error(text),
  );
  if (capture === undefined) throw new Error('no capture to read');
  const runs: Ended[] = [];
  for (let round = 0; round < ROUNDS; round++) runs.push(await run(capture.path));
  const of = (value: (run: Ended) => number): Spread => spread(runs.map(value));
  const line = (what: string, { median, min, max }: Spread, unit: string): void => {
    const number = (value: number) =>
      value.toLocaleString('en-US', { maximumFractionDigits: 0 });
    console.log(
      `${what.padEnd(34)} ${number(median).padStart(9)} ${unit} [${number(min)}-${number(max)}]`,
    );
  };
  const { packets, flows } = runs[0] ?? { packets: 0, flows: 0 };
  console.log(
    `\nagent, from start to end: ${packets.toLocaleString('en-US')} packets, ${flows.toLocaleString('en-US')} TLS flows, labelled at 10, 30, 100 packets and at their end; ${ROUNDS} runs`,
  );
  line(
    'start to first label',
    of((r) => r.firstPredictionMs),
    'ms',
  );
  line(
    'resident memory at its end',
    of((r) => r.rssMb),
    'MB',
  );
  line(
    'flows',
    of((r) => r.flows / r.seconds),
    'a second',
  );
  line(
    'labels',
    of((r) => r.classified / r.seconds),
    'a second',
  );
  const share = (what: string, value: (run: Ended) => number): void =>
    line(
      `  of the time: ${what}`,
      of((r) => value(r) / (10 * r.seconds)),
      '%',
    );
  share('flow table (native)', (r) => r.tableMs);
  share('handshake and features', (r) => r.featuresMs);
  share('model (its own thread)', (r) => r.modelMs);
  share('other JavaScript, start-up', (r) => 1000 * r.seconds - r.tableMs - r.featuresMs);
}
