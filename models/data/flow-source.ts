// The flows that train, epoch after epoch, each time in another order that seed and epoch decide: out of memory where they fit,
// else streamed from the data set's files through a buffer that mixes them.

import { shardPath } from '../../src/dataset/dataset-file.ts';
import { readShard } from '../../src/dataset/dataset-reader.ts';
import { partOf } from '../../src/dataset/split-file.ts';
import { type Random, seededRandom, shuffledIndices } from '../random.ts';
import { classOf, type OpenData } from './open-data.ts';
import { TRAINING_COLUMNS, type TrainingRow, trimRow } from './training-row.ts';

/** A flow and its class. */
export interface LabelledRow {
  readonly row: TrainingRow;
  /** Index of the class. */
  readonly label: number;
}

export interface FlowSource {
  /** Flows, each counted once. */
  readonly count: number;
  readonly kept: 'memory' | 'streamed';
  /** Every flow once, or as often as `repeats` says of its class, which may be a fraction: of that the epoch's dice decide. */
  epoch(options: EpochOptions): AsyncIterable<LabelledRow>;
}

interface EpochOptions {
  readonly random: Random;
  /** [K]; all 1 unless given. */
  readonly repeats?: readonly number[] | undefined;
}

/** A generator of its own for each epoch: training goes on after a crash as if there had been none. */
export function epochRandom(seed: number, epoch: number): Random {
  return seededRandom((Math.imul(seed, 0x9e3779b1) + Math.imul(epoch, 0x85ebca6b)) >>> 0);
}

function timesOf(label: number, { repeats, random }: EpochOptions): number {
  const wanted = repeats?.[label] ?? 1;
  const whole = Math.floor(wanted);
  // No dice for whole numbers: what is not upsampled draws nothing.
  return wanted === whole ? whole : whole + (random() < wanted - whole ? 1 : 0);
}

/** Flows that are in memory. */
export function memorySource(flows: readonly LabelledRow[]): FlowSource {
  return {
    count: flows.length,
    kept: 'memory',
    async *epoch(options) {
      const drawn = flows.flatMap((flow) =>
        new Array<LabelledRow>(timesOf(flow.label, options)).fill(flow),
      );
      for (const i of shuffledIndices(drawn.length, options.random)) {
        const flow = drawn[i];
        if (flow !== undefined) yield flow;
      }
    },
  };
}

/** Files that are read side by side: neighbours in time and place get apart. */
const OPEN_SHARDS = 4;
/** Flows that wait in the buffer; drawn from at random. */
const BUFFERED = 8_192;

/** Flows of the training part, read anew in each epoch: row groups of several files at once, mixed in a buffer. */
export function streamedSource(
  data: OpenData,
  options: { readonly packets: number; readonly buffered?: number },
): FlowSource {
  const buffered = options.buffered ?? BUFFERED;
  return {
    count: data.counts.train.reduce((a, b) => a + b, 0),
    kept: 'streamed',
    async *epoch(epoch) {
      const buffer: LabelledRow[] = [];
      for await (const flow of mixedGroups(data, options.packets, epoch.random)) {
        for (let n = timesOf(flow.label, epoch); n > 0; n--) buffer.push(flow);
        while (buffer.length > buffered) yield takeAny(buffer, epoch.random);
      }
      while (buffer.length > 0) yield takeAny(buffer, epoch.random);
    },
  };
}

/** One of a list that is not empty; the last one takes its place. */
function takeAny(buffer: LabelledRow[], random: Random): LabelledRow {
  const at = Math.floor(random() * buffer.length);
  const taken = buffer[at];
  const last = buffer.pop();
  if (taken === undefined || last === undefined) throw new Error('the buffer is empty');
  if (at < buffer.length) buffer[at] = last;
  return taken;
}

/** The training flows, file by file in an order that is drawn, row groups of some files in turn. */
async function* mixedGroups(
  data: OpenData,
  packets: number,
  random: Random,
): AsyncGenerator<LabelledRow, void, undefined> {
  const { captures } = data.manifest;
  const order = [...shuffledIndices(captures.length, random)].flatMap((i) => {
    const capture = captures[i];
    return capture === undefined ? [] : [capture];
  });
  const open: AsyncGenerator<TrainingRow[], void, undefined>[] = [];
  const openNext = () => {
    const next = order.pop();
    if (next === undefined) return;
    const path = shardPath(data.choice.directory, next.id);
    open.push(readShard(path, { columns: TRAINING_COLUMNS }));
  };
  try {
    for (let i = 0; i < OPEN_SHARDS; i++) openNext();
    while (open.length > 0) {
      const at = Math.floor(random() * open.length);
      const group = await open[at]?.next();
      if (group === undefined || group.done === true) {
        open.splice(at, 1);
        openNext();
        continue;
      }
      for (const row of group.value) {
        const label = classOf(row, data.choice.level, data.classes);
        if (label < 0 || partOf(data.split, row) !== 'train') continue;
        yield { row: trimRow(row, packets), label };
      }
    }
  } finally {
    for (const shard of open) await shard.return();
  }
}
