// An agent's main loop over the demo capture, with the shipped model in its worker.

import { join } from 'node:path';
import test from 'ava';
import { Agent, OTHER, type Seen } from '../../src/agent/agent.ts';
import { ReadSource, type Speed } from '../../src/agent/flow-source.ts';
import { type Bundle, loadBundle } from '../../src/bundle/load-bundle.ts';
import { featureSpecOf } from '../../src/bundle/manifest.ts';
import type { Prediction } from '../../src/classify/classifier.ts';
import { ClassifyQueue, type QueueOptions } from '../../src/classify/classify-queue.ts';
import { WindowTally } from '../../src/report/window-tally.ts';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');
const QUEUE: QueueOptions = { batchFlows: 32, batchWaitMs: 20, queueFlows: 4_096 };

interface Label {
  readonly prediction: Prediction;
  readonly seen: Seen;
}

interface Ran {
  readonly labels: readonly Label[];
  readonly window: ReturnType<WindowTally['close']>;
  readonly refused: number;
}

async function run(
  readyPackets: readonly number[],
  queueOptions = QUEUE,
  speed: Speed = 'max',
): Promise<Ran> {
  const bundle: Bundle = await loadBundle(BUNDLE);
  const source = new ReadSource([DEMO], speed, { readyPackets });
  const tally = new WindowTally(1_000);
  const labels: Label[] = [];
  const agent = new Agent({
    source,
    tally,
    maxFlows: 1_000,
    packets: featureSpecOf(bundle.manifest).packets,
    labelled: (prediction, seen) => labels.push({ prediction, seen }),
  });
  const queue = await ClassifyQueue.open<Seen>(bundle, queueOptions, (prediction, seen) =>
    agent.answered(prediction, seen),
  );
  await agent.run(queue, new AbortController().signal);
  const { refused } = queue.counters();
  await queue.close();
  const { drops, lost } = source.totals();
  return { labels, refused, window: tally.close(2_000, { drops, lost }) };
}

test('what an agent counts is what replay counts, early decisions or not', async (t) => {
  const replay = await sluice(['replay', '--json', DEMO]);
  const last = jsonLines(replay.stdout).at(-1) as unknown as {
    tally: Record<string, { flows: number; packets: number; bytes: number }>;
    notClassified: { flows: number; packets: number; bytes: number };
  };
  const want = { ...last.tally, [OTHER]: last.notClassified };
  for (const readyPackets of [[], [10, 30, 100]]) {
    const { window } = await run(readyPackets);
    const got = Object.fromEntries(
      Object.entries(window.classes).map(([name, c]) => [
        name,
        {
          flows: c.flows,
          packets: c.packetsUp + c.packetsDown,
          bytes: c.bytesUp + c.bytesDown,
        },
      ]),
    );
    t.deepEqual(got, want);
  }
});

test('a flow is labelled at each step, and once more at its end', async (t) => {
  const { labels } = await run([10, 30]);
  const byFlow = new Map<number, Label[]>();
  for (const label of labels) {
    byFlow.set(label.seen.id, [...(byFlow.get(label.seen.id) ?? []), label]);
  }
  t.is(byFlow.size, 40);
  for (const own of byFlow.values()) {
    t.deepEqual(
      own.map(({ seen }) => seen.final),
      own.map((_, i) => i === own.length - 1),
    );
    const packets = own.map(({ seen }) => seen.packets);
    t.deepEqual(
      packets,
      packets.toSorted((a, b) => a - b),
    );
  }
  // Most flows of the demo are longer than 30 packets.
  t.true(labels.filter(({ seen }) => !seen.final).length > 40);
});

test('a queue of one flow makes a capture wait, and loses nothing', async (t) => {
  const { labels, refused } = await run([], { ...QUEUE, batchFlows: 1, queueFlows: 1 });
  t.is(refused, 0);
  t.is(labels.length, 40);
});

test('read at the speed of its packets a capture takes as long as it lasts', async (t) => {
  t.timeout(60_000);
  const start = performance.now();
  const { labels } = await run([], QUEUE, 'real');
  const seconds = (performance.now() - start) / 1000;
  t.is(labels.length, 40);
  // The demo lasts some 12 s; a loaded machine may only be late.
  t.true(seconds > 10, `${seconds} s`);
});
