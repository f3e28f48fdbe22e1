// From a data set on disk to a split file and back.

import { readFile, rm, writeFile } from 'node:fs/promises';
import test from 'ava';
import { readDataset } from '../../src/dataset/dataset-reader.ts';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';
import { type SplitOptions, splitDataset } from '../../src/dataset/split-dataset.ts';
import {
  openSplit,
  PARTS,
  partOf,
  readSplit,
  splitPath,
  writeSplit,
} from '../../src/dataset/split-file.ts';
import { InputError } from '../../src/errors.ts';
import { captureId, makeRow, writeDataset } from '../helpers/dataset-rows.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const WATCH = { signal: new AbortController().signal, progress: () => undefined };
const OPTIONS: SplitOptions = {
  name: 'some',
  by: 'capture',
  seed: 1,
  stratify: ['service'],
  shares: [0.7, 0.15, 0.15],
  keepDuplicates: false,
};
const CAPTURES = 12;
const FLOWS = 10;
const SAME = [517, -1400, -1400, -600, 80, 300, -1200, 90, -400, 60];

/** Flows of their own, but in each capture the first is the same, and the second too, with as many labels as captures. */
function rows(): DatasetRow[] {
  return Array.from({ length: CAPTURES * FLOWS }, (_, i) => {
    const capture = Math.floor(i / FLOWS);
    const flow = i % FLOWS;
    const own = SAME.map((s, at) => s + Math.sign(s) * ((i * 131 * (at + 1)) % 900) + 40);
    const jitter = SAME.map((s) => s + (capture % 5));
    const planted = flow === 0 ? jitter : flow === 1 ? SAME.toReversed() : own;
    return makeRow(
      {
        capture: captureId(capture),
        flow,
        session: `${capture}-${flow}`,
        service: flow === 1 ? `class-${capture}` : flow % 2 === 0 ? 'web' : 'mail',
        startUs: 1_000_000 * i,
      },
      planted,
    );
  }).concat(
    makeRow({ capture: captureId(0), flow: 10, service: null }, SAME),
    makeRow({ capture: captureId(1), flow: 10, service: 'infrastructure' }, SAME),
  );
}

test('planted copies outside of training are dropped, contradicting ones judge, others stay', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const { file, summary } = await splitDataset(folder, OPTIONS, WATCH);
  const judges = [...(file.parts?.validation ?? []), ...(file.parts?.test ?? [])];
  t.deepEqual(
    file.dropped.map(({ capture, flow }) => [capture, flow]).sort(),
    judges.map((capture) => [capture, 0]).sort(),
  );
  t.true(file.dropped.every(({ twin }) => twin.flow === 0));
  t.is(summary.duplicates.contradicting, judges.length);
  t.deepEqual(summary.duplicates.classes, { web: judges.length });
  t.deepEqual(summary.rows, {
    all: CAPTURES * FLOWS + 2,
    unlabelled: 1,
    infrastructure: 1,
    withoutValue: 0,
  });
  const assigned = summary.parts.flatMap(({ classes }) => Object.values(classes));
  t.is(
    assigned.reduce((a, b) => a + b, 0),
    CAPTURES * FLOWS - judges.length,
  );
});

test('what partOf says of each row is what the file says, read again from disk', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const { file } = await splitDataset(folder, OPTIONS, WATCH);
  await writeSplit(folder, file);
  const again = await readSplit(folder, 'some', file.dataset);
  t.deepEqual(again, file);
  const split = openSplit(again);
  for await (const row of readDataset(folder)) {
    const part = PARTS.find((name) => file.parts?.[name].includes(row.capture));
    const isDropped = file.dropped.some(
      ({ capture, flow }) => capture === row.capture && flow === row.flow,
    );
    const isOut = isDropped || row.service === null || row.service === 'infrastructure';
    t.is(partOf(split, row), isOut ? undefined : part);
  }
});

test('kept duplicates are told and judge', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const options = { ...OPTIONS, keepDuplicates: true };
  const { file, summary } = await splitDataset(folder, options, WATCH);
  t.deepEqual(file.dropped, []);
  t.true(summary.duplicates.rows > 0);
  t.true(file.duplicatesKept);
});

test('the same seed gives the same file, byte for byte', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const texts = [];
  for (let i = 0; i < 2; i++) {
    const { file } = await splitDataset(folder, OPTIONS, WATCH);
    texts.push(await readFile(await writeSplit(folder, file), 'utf8'));
  }
  t.is(texts[0], texts[1]);
});

test('of folds each judges once, the next one validates, and a copy only ever trains', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const { file } = await splitDataset(folder, { ...OPTIONS, folds: 4 }, WATCH);
  const all: DatasetRow[] = [];
  for await (const row of readDataset(folder)) all.push(row);
  const views = [0, 1, 2, 3].map((fold) => openSplit(file, fold));
  for (const row of all.filter(({ service }) => service !== null)) {
    const parts = views.map((split) => partOf(split, row));
    const isCopy = row.flow === 0;
    const isOut = row.service === 'infrastructure';
    t.is(parts.filter((part) => part === 'test').length, isCopy || isOut ? 0 : 1);
    t.is(parts.filter((part) => part === 'train').length, isOut ? 0 : 2);
    const judged = parts.indexOf('test');
    if (judged >= 0) t.is(parts[(judged + 3) % 4], 'validation');
  }
  t.is(all.length, CAPTURES * FLOWS + 2);
  for (const fold of [undefined, 4, -1, 0.5]) {
    t.throws(() => openSplit(file, fold), {
      instanceOf: InputError,
      message: /has folds 0 to 3/,
    });
  }
});

test('what cannot be divided, or came to nothing, is said', async (t) => {
  const folder = temporaryFolder('split');
  const games = Array.from({ length: 9 }, (_, i) =>
    makeRow({ capture: captureId(0), flow: 20 + i, session: 'one', service: 'games' }),
  );
  await writeDataset(folder, [...rows(), ...games]);
  const { summary } = await splitDataset(folder, { ...OPTIONS, by: 'session' }, WATCH);
  t.true(summary.words.includes('of the 9 flows of games 9 are of one session'));
  t.true(
    summary.words.some((line) => /^(validation|test) has no flow of .*games/.test(line)),
  );
  const bySeed = await splitDataset(folder, { ...OPTIONS, by: 'seed' }, WATCH).catch(
    (fault: unknown) => fault,
  );
  t.regex(String(bySeed), /no labelled row has a value of seed/);
});

test('pseudonyms that never link captures are said to', async (t) => {
  const folder = temporaryFolder('split');
  const apart = rows().map((row) => ({
    ...row,
    client: `${row.capture} ${row.flow % 3}`,
  }));
  await writeDataset(folder, apart);
  const { summary } = await splitDataset(folder, { ...OPTIONS, by: 'client' }, WATCH);
  t.true(summary.words.some((line) => line.startsWith('no client is in two captures')));
  await writeDataset(
    folder,
    rows().map((row) => ({ ...row, client: `${row.flow}` })),
  );
  const linked = await splitDataset(folder, { ...OPTIONS, by: 'client' }, WATCH);
  t.false(linked.summary.words.some((line) => line.startsWith('no client')));
});

test('a reading that is stopped ends with the reason', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  const signal = AbortSignal.abort();
  const stopped = splitDataset(folder, OPTIONS, { ...WATCH, signal });
  t.is(await stopped.catch((reason: unknown) => reason), signal.reason);
});

const HASH = '0'.repeat(64);
const WRONG: readonly [title: string, content: string | undefined, message: RegExp][] = [
  [
    'a split that is not there',
    undefined,
    /cannot be read \(ENOENT\); `sluice dataset split /,
  ],
  ['a file that is no JSON', '{', /is no JSON; split the data set anew/],
  [
    'a file of something else',
    '{"format":"x"}',
    /^[^:]*: format: .*split the data set anew/,
  ],
];
for (const [title, content, message] of WRONG) {
  test(`${title}: one line says what is wrong`, async (t) => {
    const folder = temporaryFolder('split');
    await writeDataset(folder, rows());
    const { file } = await splitDataset(folder, OPTIONS, WATCH);
    const path = await writeSplit(folder, file);
    if (content === undefined) await rm(path);
    else await writeFile(splitPath(folder, 'some'), content);
    const error = await t.throwsAsync(readSplit(folder, 'some', file.dataset), {
      instanceOf: InputError,
      message,
    });
    t.false(error.message.includes('\n'));
  });
}

test('a split of another data set is refused', async (t) => {
  const folder = temporaryFolder('split');
  await writeDataset(folder, rows());
  await writeSplit(folder, (await splitDataset(folder, OPTIONS, WATCH)).file);
  await t.throwsAsync(readSplit(folder, 'some', HASH), {
    instanceOf: InputError,
    message: /is of a data set with content [0-9a-f]{12}, this one has 000000000000/,
  });
});
