import test from 'ava';
import { batchOf, type InputSpec } from '../../../models/data/batch.ts';
import { flowExamples, sessionExamples } from '../../../models/data/examples.ts';
import { fitNormaliser } from '../../../models/data/fit-normaliser.ts';
import {
  epochRandom,
  type FlowSource,
  memorySource,
  streamedSource,
} from '../../../models/data/flow-source.ts';
import { drawLook } from '../../../models/data/looks.ts';
import { openData, rowsOf } from '../../../models/data/open-data.ts';
import { trimRow } from '../../../models/data/training-row.ts';
import { seededRandom } from '../../../models/random.ts';
import { balanceFactors, labelledRows } from '../../../models/training/preparation.ts';
import { featuresOfRow } from '../../../src/dataset/row-tensors.ts';
import { InputError } from '../../../src/errors.ts';
import { PAPER_PACKETS } from '../../../src/features/features.ts';
import { normaliseStatistics } from '../../../src/features/normalise.ts';
import { STATISTICS } from '../../../src/features/statistics-table.ts';
import { makeDataset } from '../../helpers/made-dataset.ts';

const MADE = { classes: ['chat', 'mail', 'web'], flows: [80, 20, 60] };
const SPEC = {
  ...PAPER_PACKETS,
  seriesSteps: 16,
  packets: 16,
  occlusion: { shown: [] },
};

async function opened(more = {}) {
  const { directory } = await makeDataset(MADE);
  return await openData({ directory, split: 'parts', level: 'service', ...more });
}

async function keysOf(source: FlowSource, epoch: number, repeats?: number[]) {
  const keys: string[] = [];
  for await (const { row } of source.epoch({ random: epochRandom(1, epoch), repeats })) {
    keys.push(`${row.capture} ${row.flow}`);
  }
  return keys;
}

test('classes are those of the training rows, in alphabetical order, with their counts', async (t) => {
  const data = await opened();
  t.deepEqual(data.classes, ['chat', 'mail', 'web']);
  t.deepEqual(data.counts.train, [48, 12, 36]);
  t.deepEqual(data.counts.validation, [16, 4, 12]);
  const applications = await opened({ level: 'application' });
  t.deepEqual(applications.classes, ['chat-app', 'mail-app', 'web-app']);
});

test('a class that is held out is not learnt, and is counted where it judges', async (t) => {
  const data = await opened({ heldOut: ['mail'] });
  t.deepEqual(data.classes, ['chat', 'web']);
  t.is(data.ofOtherClasses, 8);
  await t.throwsAsync(opened({ heldOut: ['games'] }), {
    instanceOf: InputError,
    message: /heldOut "games" is no class.*chat, mail, web/,
  });
  await t.throwsAsync(opened({ heldOut: ['mail', 'chat'] }), {
    instanceOf: InputError,
    message: /of 1 classes.*expected two classes at least/,
  });
});

test('streamed flows are those in memory, each once an epoch, in an order that seed and epoch decide', async (t) => {
  const data = await opened();
  const memory = memorySource(await labelledRows(data, 'train', 64));
  const streamed = streamedSource(data, { packets: 64, buffered: 10 });
  t.is(streamed.count, memory.count);
  const first = await keysOf(streamed, 1);
  t.deepEqual(first.toSorted(), (await keysOf(memory, 1)).toSorted());
  t.is(new Set(first).size, 96);
  for (const source of [memory, streamed]) {
    t.deepEqual(await keysOf(source, 1), await keysOf(source, 1));
    t.notDeepEqual(await keysOf(source, 1), await keysOf(source, 2));
  }
});

test('small classes are shown as often as is asked for, streamed or not', async (t) => {
  const data = await opened();
  const flows = await labelledRows(data, 'train', 64);
  const mails = new Set(
    flows
      .filter(({ label }) => label === 1)
      .map(({ row }) => `${row.capture} ${row.flow}`),
  );
  const repeats = balanceFactors(data.counts.train, 1);
  t.deepEqual(repeats, [1, 4, 48 / 36]);
  for (const source of [memorySource(flows), streamedSource(data, { packets: 64 })]) {
    const keys = await keysOf(source, 1, repeats);
    t.is(keys.filter((key) => mails.has(key)).length, 48);
    // A third of a flow is a matter of dice.
    t.true(Math.abs(keys.length - 144) < 10, `${keys.length}`);
  }
});

test("a batch holds what features give of each row's look, and only the inputs that are read", async (t) => {
  const data = await opened();
  const flows = (await labelledRows(data, 'train', 64)).slice(0, 5);
  const normaliser = await fitNormaliser(memorySource(flows), SPEC, {
    looks: [3],
    wholeShare: 0,
    seed: 1,
    clip: 4,
  });
  const spec: InputSpec = {
    features: SPEC,
    normaliser,
    inputs: ['handshake_bytes', 'series', 'statistics'],
  };
  const { inputs, labels } = batchOf(flowExamples(flows, 6), spec);
  t.deepEqual(
    [...labels],
    flows.map(({ label }) => label),
  );
  for (const [b, { row }] of flows.entries()) {
    const own = featuresOfRow(row, SPEC, 6);
    const part = <A extends Uint8Array | Float32Array>(data: A, width: number) =>
      data.subarray(b * width, (b + 1) * width);
    t.deepEqual(part(inputs.series as Float32Array, 48), own.series);
    t.deepEqual(
      Buffer.from(part(inputs.handshake_bytes as Uint8Array, 1800)),
      Buffer.from(own.handshakeBytes),
    );
    const statistics = new Float32Array(STATISTICS.length);
    normaliseStatistics(own.statistics, normaliser, statistics);
    t.deepEqual(part(inputs.statistics as Float32Array, STATISTICS.length), statistics);
  }
  t.deepEqual(
    Object.keys(batchOf(flowExamples(flows), { ...spec, inputs: ['series'] }).inputs),
    ['series'],
  );
});

test('flows of a session are one example, with the label of most of them', async (t) => {
  const data = await opened();
  const flows = await labelledRows(data, 'train', 64);
  const sessions = sessionExamples(flows, 3);
  t.is(sessions.length, 48);
  t.true(sessions.every(({ rows }) => new Set(rows.map((r) => r.session)).size === 1));
  const [one, two, three] = flows;
  if (one === undefined || two === undefined || three === undefined) return t.fail();
  const row = { ...one.row, session: 's' };
  const mixed = [
    { row, label: 2 },
    { row, label: 0 },
    { row, label: 2 },
    { row, label: -1 },
  ];
  t.is(sessionExamples(mixed, 3)[0]?.label, 2);
});

test('a look is drawn among those that the flow outlives', (t) => {
  const random = seededRandom(1);
  const looks = [3, 5, 10, 30];
  const drawn = Array.from({ length: 400 }, () =>
    drawLook({ seen: 10 }, { looks, wholeShare: 0.5 }, random),
  );
  const count = (look: number | undefined) => drawn.filter((own) => own === look).length;
  t.deepEqual([count(10), count(30)], [0, 0]);
  t.true(Math.abs(count(undefined) - 200) < 50);
  t.true(Math.abs(count(3) - 100) < 40);
  t.is(drawLook({ seen: 3 }, { looks, wholeShare: 0 }, random), undefined);
});

test('a trimmed row gives the features of the first packets', async (t) => {
  const data = await opened();
  for await (const row of rowsOf(data, 'train', 64)) {
    const trimmed = trimRow(row, 8);
    t.true(trimmed.seen <= 8);
    t.deepEqual(featuresOfRow(trimmed, SPEC, 5), featuresOfRow(row, SPEC, 5));
    break;
  }
});
