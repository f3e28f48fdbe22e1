// int8 against fp32, network by network, and both against the peak of a plain MatMul: all by turns, so that the ratios hold
// where the machine's speed wanders. A turn is several runs: the first one finds its weights driven out of the caches by the
// others, which is what a router pays that classifies a flow now and then, and the rest is what it pays under load. Weights
// are drawn: speed does not depend on them. Axes: B flows.

import { calibrate } from '../export/calibrate.ts';
import { GraphBuilder } from '../export/graph.ts';
import { type Network, type Step, sourcesOf } from '../export/network.ts';
import { type Inputs, OnnxModel } from '../export/onnx-model.ts';
import { readNetwork } from '../export/read-network.ts';
import { median } from '../export/speed.ts';
import { writeFp32 } from '../export/write-fp32.ts';
import { writeInt8 } from '../export/write-int8.ts';
import { chooseBackend } from '../models/backend.ts';
import { TENSORS } from '../models/networks/network.ts';
import { networkNamed } from '../models/networks/networks.ts';
import { seededRandom } from '../models/random.ts';
import { STATISTICS } from '../src/features/statistics-table.ts';

interface Run {
  readonly batch: number;
  /** Steps of the flows, where they are fewer than T: see src/classify/step-buckets.ts. */
  readonly steps?: number;
  /** What int8 is to reach here. */
  readonly budget?: Budget;
}

interface Budget {
  readonly flowsPerSecond?: number;
  /** In parts of fp32's speed. */
  readonly ofFp32?: number;
  /** Share of the MatMul's. */
  readonly ofPeak?: number;
}

interface Case {
  readonly network: string;
  readonly seriesSteps: number;
  readonly options?: object;
  readonly runs: readonly Run[];
}

/** The paper's shape with 128 units a direction. */
const PAPER_LSTM = { series: { units: [128, 128, 128] } };

const CASES: readonly Case[] = [
  {
    network: 'router-cnn',
    seriesSteps: 128,
    runs: [
      { batch: 1, budget: { flowsPerSecond: 5000 } },
      { batch: 32, budget: { flowsPerSecond: 10_000, ofFp32: 2, ofPeak: 0.6 } },
    ],
  },
  {
    network: 'tripartite-cnn',
    seriesSteps: 128,
    runs: [{ batch: 1 }, { batch: 32, budget: { ofFp32: 2, ofPeak: 0.6 } }],
  },
  {
    network: 'tripartite-cnn',
    seriesSteps: 1024,
    runs: [{ batch: 32, budget: { ofFp32: 2, ofPeak: 0.6 } }],
  },
  {
    network: 'router-lstm',
    seriesSteps: 64,
    runs: [
      { batch: 1 },
      { batch: 8, budget: { flowsPerSecond: 1500, ofFp32: 1.4 } },
      { batch: 8, steps: 32 },
    ],
  },
  {
    network: 'tripartite-lstm',
    seriesSteps: 128,
    options: PAPER_LSTM,
    runs: [
      { batch: 8, budget: { flowsPerSecond: 300, ofFp32: 1.4 } },
      { batch: 8, steps: 32 },
    ],
  },
  {
    network: 'tripartite-lstm',
    seriesSteps: 1024,
    options: PAPER_LSTM,
    runs: [
      { batch: 8, budget: { flowsPerSecond: 40, ofFp32: 1.4 } },
      { batch: 8, steps: 256 },
      { batch: 8, steps: 32 },
    ],
  },
];
const CLASSES = 8;
const ROUNDS = 15;
const MILLISECONDS = 3000;
/** Of a turn, beyond its first run. */
const TURN_MILLISECONDS = 10;
/** Rows and columns of the MatMul that is taken for the peak. */
const PEAK_SIZE = 512;

/** Multiplications and additions of one flow. */
function operationsOf(network: Network): number {
  const byName = new Map(network.steps.map((step) => [step.name, step]));
  return network.steps.reduce((sum, step) => sum + operationsOfStep(step, byName), 0);
}

function operationsOfStep(step: Step, byName: ReadonlyMap<string, Step>): number {
  const rows = step.flows ?? 1;
  switch (step.kind) {
    case 'convolve':
      return 2 * rows * step.weights.length * (step.shape[1] ?? 1);
    case 'dense':
      return 2 * rows * step.weights.length;
    case 'lstm': {
      const [from = ''] = sourcesOf(step);
      const steps = byName.get(from)?.shape[0] ?? 1;
      const weights = step.directions.reduce(
        (sum, { kernel, recurrent }) => sum + kernel.length + recurrent.length,
        0,
      );
      return 2 * rows * steps * weights;
    }
    default:
      return 0;
  }
}

/** Microseconds of a run. */
interface Turn {
  readonly first: number;
  /** The median of those behind it. */
  readonly rest: number;
}

interface Runner {
  readonly turn: () => Promise<Turn>;
  readonly close: () => Promise<void>;
}

async function runner(file: Uint8Array, inputs: Inputs, rows: number): Promise<Runner> {
  const model = await OnnxModel.open(file);
  await model.run(inputs, rows);
  return {
    turn: async () => {
      const start = performance.now();
      await model.run(inputs, rows);
      let last = performance.now();
      const first = last - start;
      const rest: number[] = [];
      while (last - start < first + TURN_MILLISECONDS) {
        await model.run(inputs, rows);
        const now = performance.now();
        rest.push(now - last);
        last = now;
      }
      return { first: first * 1000, rest: median(rest) * 1000 };
    },
    close: () => model.close(),
  };
}

/**
 * [B, 512] x [512, 512], in float32 or as uint8 x int8. One row of the product is handed out: a MiB of fresh memory a run would
 * cost as much as half the multiplications, and the peak would not be one.
 */
function matMul(precision: 'fp32' | 'int8'): Uint8Array {
  const graph = new GraphBuilder(`peak-${precision}`);
  const shape = [PEAK_SIZE, PEAK_SIZE];
  const size = PEAK_SIZE * PEAK_SIZE;
  if (precision === 'fp32') {
    graph.input('x', 'float32', ['B', PEAK_SIZE]);
    graph.node('MatMul', 'product', [
      'x',
      graph.floats('w', shape, new Float32Array(size).fill(0.5)),
    ]);
  } else {
    graph.input('x', 'uint8', ['B', PEAK_SIZE]);
    graph.node('MatMulInteger', 'product', [
      'x',
      graph.int8s('w', shape, new Int8Array(size).fill(3)),
    ]);
  }
  graph.node('Gather', 'row', ['product', graph.int64s('first', [0])]);
  graph.output('row', [1, PEAK_SIZE], precision === 'fp32' ? 'float32' : 'int32');
  return graph.encode();
}

async function peaks(): Promise<[fp32: Runner, int8: Runner]> {
  const size = PEAK_SIZE * PEAK_SIZE;
  return [
    await runner(matMul('fp32'), { x: new Float32Array(size).fill(0.5) }, PEAK_SIZE),
    await runner(matMul('int8'), { x: new Uint8Array(size).fill(7) }, PEAK_SIZE),
  ];
}

/** @param steps of the series; its T unless given */
function drawnInputs(network: Network, rows: number, steps?: number): Inputs {
  const random = seededRandom(1);
  return Object.fromEntries(
    network.steps.flatMap((step) => {
      if (step.kind !== 'input') return [];
      const whole = step.shape.reduce((a, b) => a * b, rows);
      const cut = step.name === TENSORS.series && steps !== undefined;
      const length = cut ? (whole / (step.shape[0] ?? 1)) * steps : whole;
      const values =
        step.values === 'bytes'
          ? Uint8Array.from({ length }, () => 256 * random())
          : Float32Array.from({ length }, () => 2 * random() - 1);
      return [[step.name, values]];
    }),
  );
}

/** Prints a line a network and batch. */
export async function benchModels(): Promise<void> {
  await chooseBackend('wasm');
  console.log(
    `\nmodels, one core: int8 against fp32 and against the peak of a MatMul of ${PEAK_SIZE} rows and columns, by turns of ${TURN_MILLISECONDS} ms; medians`,
  );
  for (const { network: name, seriesSteps, options, runs } of CASES) {
    const shape = {
      seriesSteps,
      statistics: STATISTICS.length,
      classes: CLASSES,
      seed: 1,
    };
    const network = readNetwork(networkNamed(name).build(shape, options));
    const sample = { inputs: drawnInputs(network, 32), count: 32 };
    const int8 = writeInt8(network, await calibrate(network, sample));
    for (const run of runs) {
      await benchOne(network, { fp32: writeFp32(network), int8, run, seriesSteps });
    }
  }
}

interface Measured {
  readonly fp32: Uint8Array;
  readonly int8: Uint8Array;
  readonly run: Run;
  /** T */
  readonly seriesSteps: number;
}

async function benchOne(
  network: Network,
  { fp32, int8, run: { batch, steps, budget = {} }, seriesSteps }: Measured,
): Promise<void> {
  const inputs = drawnInputs(network, batch, steps);
  const runners = [
    await runner(fp32, inputs, batch),
    await runner(int8, inputs, batch),
    ...(await peaks()),
  ];
  const rounds: number[][] = [];
  const firsts: number[] = [];
  const end = performance.now() + MILLISECONDS;
  while (rounds.length < ROUNDS || performance.now() < end) {
    const turns: Turn[] = [];
    for (const { turn } of runners) turns.push(await turn());
    rounds.push(turns.map(({ rest }) => rest));
    firsts.push(turns[1]?.first ?? 0);
  }
  for (const { close } of runners) await close();
  const name = `${network.name}, T ${seriesSteps}, batch ${batch}`;
  const micros = median(rounds.map((times) => times[1] ?? 0)) / batch;
  const ratio = (a: number, b: number) =>
    median(rounds.map((times) => (times[a] ?? 0) / (times[b] ?? 1)));
  const faster = ratio(0, 1);
  const reached = { flowsPerSecond: 1e6 / micros, ofFp32: faster };
  if (steps !== undefined) {
    console.log(
      `${`${name}, flows of ${steps}`.padEnd(42)} int8 ${micros.toFixed(1).padStart(8)} µs a flow, ${faster.toFixed(2)} times fp32`,
    );
    return;
  }
  const operations = operationsOf(network) * batch;
  const peakOperations = 2 * PEAK_SIZE ** 3;
  // Operations a microsecond, in thousands.
  const gops = (which: number, count: number) =>
    median(rounds.map((times) => count / (times[which] ?? 1))) / 1000;
  const share = (which: number, peak: number) =>
    (operations * ratio(peak, which)) / peakOperations;
  console.log(
    `${name.padEnd(42)} int8 ${micros.toFixed(1).padStart(8)} µs a flow (${(median(firsts) / batch).toFixed(1)} with cold caches), ${faster.toFixed(2)} times fp32; ` +
      `${(operations / batch / 1e6).toFixed(1)} MOP a flow: int8 ${gops(1, operations).toFixed(1)} of ${gops(3, peakOperations).toFixed(1)} GOP/s (${(100 * share(1, 3)).toFixed(0)}%), ` +
      `fp32 ${gops(0, operations).toFixed(1)} of ${gops(2, peakOperations).toFixed(1)} (${(100 * share(0, 2)).toFixed(0)}%)` +
      toldBudget(budget, { ...reached, ofPeak: share(1, 3) }),
  );
}

const WORDS = {
  flowsPerSecond: (value: number) =>
    `${Math.round(value).toLocaleString('en-US')} flows/s`,
  ofFp32: (value: number) => `${value.toFixed(1)} times fp32`,
  ofPeak: (value: number) => `${Math.round(100 * value)}% of the MatMul`,
} as const;

/** What of the budget was met; flows a second are the machine's, so they say most where it is quiet. */
function toldBudget(budget: Budget, reached: Required<Budget>): string {
  const parts = (['flowsPerSecond', 'ofFp32', 'ofPeak'] as const).flatMap((key) => {
    const wanted = budget[key];
    if (wanted === undefined) return [];
    return [`${WORDS[key](wanted)} ${reached[key] >= wanted ? 'met' : 'MISSED'}`];
  });
  return parts.length === 0 ? '' : `; wanted ${parts.join(', ')}`;
}
