import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { readCheckpoint, writeCheckpoint } from '../../../models/training/checkpoint.ts';
import { InputError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const STATE = {
  digest: 'd',
  history: [],
  bestEpoch: 0,
  weights: [Float32Array.of(1, 2.5), Float32Array.of(-3)],
  best: [],
  mean: [Float32Array.of(0.5, -2)],
  adam: {
    steps: 12,
    first: [Float32Array.of(0.25, 1e-20)],
    second: [Float32Array.of(0, 3)],
  },
};

test('what is written is what is read', async (t) => {
  const directory = temporaryFolder('checkpoint');
  writeCheckpoint(directory, STATE);
  t.deepEqual(readCheckpoint(directory, 'd'), STATE);
});

test('a checkpoint of another training, or a damaged one, is refused with the way out', async (t) => {
  const directory = temporaryFolder('checkpoint');
  writeCheckpoint(directory, STATE);
  const refused = (words: RegExp) => {
    const fault = t.throws(() => readCheckpoint(directory, 'd'), {
      instanceOf: InputError,
    });
    t.regex(fault?.message ?? '', words);
    t.regex(fault?.message ?? '', /--restart/);
  };
  t.throws(() => readCheckpoint(directory, 'other'), {
    message: /another configuration/,
  });
  const path = join(directory, 'checkpoint.bin');
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, bytes.length - 1));
  refused(/cut off/);
  await writeFile(path, bytes.subarray(0, 5));
  refused(/no checkpoint/);
  await writeFile(path, Buffer.concat([bytes.subarray(0, 12), Buffer.from('{"x')]));
  refused(/damaged/);
});
