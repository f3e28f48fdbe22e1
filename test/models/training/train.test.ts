// `sluice train` and `sluice evaluate` as a user runs them, on a made-up data set: whole processes, real training.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Run } from '../../../models/training/run.ts';
import { makeDataset } from '../../helpers/made-dataset.ts';
import { ROOT, sluice } from '../../helpers/sluice.ts';

const SLUICE = fileURLToPath(new URL('../../../src/bin/sluice.js', import.meta.url));
/** On a busy machine tfjs alone takes long to load. */
const LIMIT_MS = 10 * 60_000;

test.beforeEach((t) => {
  t.timeout(3 * LIMIT_MS);
});

async function prepared(more = '') {
  const { directory } = await makeDataset({
    classes: ['chat', 'mail', 'web'],
    flows: [120, 40, 80],
  });
  const config = join(directory, 'config.yaml');
  await writeFile(
    config,
    `
name: made
data: {directory: ${directory}, split: parts, looks: [3, 5]}
network:
  name: flow-cnn
  seriesSteps: 16
  options:
    series: {groups: [[[16, 3, 1]], [[16, 3, 1]]], pool: 2, dense: 0}
    statistics: [16]
    head: [16]
    sizes: {entries: [scaled, embedded], width: 4, jitterShare: 0.2}
training: {epochs: 6, batchFlows: 16, learningRate: 0.005, meanEpochs: 3}
${more}`,
  );
  return { directory, config };
}

async function runOf(directory: string): Promise<Run> {
  return JSON.parse(await readFile(join(directory, 'run.json'), 'utf8'));
}

const train = (config: string, out: string, ...more: string[]) =>
  sluice(['train', '--config', config, '--out', out, ...more], undefined, LIMIT_MS);

test.serial(
  'a training that is killed goes on with the curve it would have had',
  async (t) => {
    const { directory, config } = await prepared();
    const [whole, torn] = [join(directory, 'whole'), join(directory, 'torn')];
    const done = await train(config, whole);
    t.is(done.code, 0, done.stderr);
    t.regex(done.stderr, /epoch 6\/6 .*validation: loss .*accuracy/);

    const args = [SLUICE, 'train', '--config', config, '--out', torn];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: ROOT,
    });
    let said = '';
    child.stderr.setEncoding('utf8');
    for await (const text of child.stderr) {
      said += text;
      if (/^epoch 2\/6/m.test(said) && child.exitCode === null && !child.killed) {
        child.kill('SIGKILL');
      }
    }
    t.true(existsSync(join(torn, 'checkpoint.bin')));
    // The process that trains learns from the closed channel that nobody waits for it.
    await delay(1000);
    const again = await train(config, torn);
    t.is(again.code, 0, again.stderr);
    t.regex(again.stderr, /going on after epoch [2-5]/);

    const [one, other] = [await runOf(whole), await runOf(torn)];
    t.is(other.history.length, 6);
    for (const [i, record] of one.history.entries()) {
      const own = other.history[i];
      // Floats are summed by several threads, in no order of their own.
      t.true(Math.abs(record.trainLoss - (own?.trainLoss ?? 9)) < 1e-3, `epoch ${i + 1}`);
      t.true(Math.abs(record.validationLoss - (own?.validationLoss ?? 9)) < 1e-3);
    }
    t.false(existsSync(join(torn, 'checkpoint.bin')));
    for (const name of ['loss.svg', 'accuracy.svg', 'weights.bin', 'weights.json']) {
      t.true(existsSync(join(torn, name)), name);
    }
  },
);

test.serial(
  'Ctrl-C ends it with 130 and a word; a finished run is not trained over',
  async (t) => {
    const { directory, config } = await prepared();
    const out = join(directory, 'run');
    const args = [SLUICE, 'train', '--config', config, '--out', out, '--epochs', '500'];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: ROOT,
    });
    let said = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => {
      said += text;
      if (/^epoch +2\/500/m.test(said)) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    t.is(code, 130, said);
    t.regex(
      said,
      /interrupted in epoch \d+; epoch \d+ is kept, the same command goes on/,
    );
    const done = await train(config, out, '--json');
    t.is(done.code, 0, done.stderr);
    const run = JSON.parse(done.stdout);
    t.like(run, { directory: out, classes: ['chat', 'mail', 'web'] });
    const refused = await train(config, out);
    t.is(refused.code, 2);
    t.regex(refused.stderr, /holds a finished run; --out .* --restart/);
  },
);

test.serial('a run is evaluated into a page and JSON with every figure', async (t) => {
  const { directory, config } = await prepared('calibration: {thresholdFloor: 0.4}');
  const out = join(directory, 'run');
  t.is((await train(config, out)).code, 0);
  const report = join(directory, 'report');
  const done = await sluice(
    ['evaluate', out, '--baselines', '--compare', '--out', report],
    undefined,
    LIMIT_MS,
  );
  t.is(done.code, 0, done.stderr);
  const page = await readFile(join(report, 'report.html'), 'utf8');
  const [evaluation] = JSON.parse(await readFile(join(report, 'report.json'), 'utf8'));
  t.is(evaluation.data.flows, 48);
  t.true(evaluation.headline.accuracy > 0.8, `${evaluation.headline.accuracy}`);
  t.deepEqual(
    evaluation.byProtocol.map(({ name }: { name: string }) => name),
    ['tcp', 'udp'],
  );
  t.deepEqual(
    evaluation.byAlpn.map(({ name }: { name: string }) => name),
    ['HTTP/2', 'HTTP/3'],
  );
  t.deepEqual(
    evaluation.ablation.map(({ input }: { input: string }) => input),
    ['series', 'statistics'],
  );
  t.is(evaluation.canaries, null);
  t.is(evaluation.baselines.length, 6);
  // Each class has a server of its own here: the look-up knows all.
  t.is(evaluation.baselines.at(-1).headline.accuracy, 1);
  t.notRegex(page, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  t.regex(page, /Risk against coverage/);
});

test.serial(
  'a search keeps its trials, goes on with the next one and writes the best',
  async (t) => {
    const { directory, config } = await prepared();
    const space = join(directory, 'space.yaml');
    await writeFile(space, 'training.batchFlows: [16, 32]\ntraining.epochs: [2]\n');
    const out = join(directory, 'search');
    const args = [
      'train',
      '--config',
      config,
      '--search',
      space,
      '--out',
      out,
      '--minutes',
    ];
    const first = await sluice([...args, '1', '--json'], undefined, LIMIT_MS);
    t.is(first.code, 0, first.stderr);
    const trials = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.true(trials.length >= 1);
    const losses = trials.map(
      ({ validationLoss }: { validationLoss: number }) => validationLoss,
    );
    t.deepEqual(
      losses,
      losses.toSorted((a: number, b: number) => a - b),
    );
    const best = await readFile(join(out, 'best.yaml'), 'utf8');
    t.regex(
      best,
      new RegExp(
        `^# Trial ${trials[0].number} of ${trials.length}, chosen by validation`,
      ),
    );
    const other = join(directory, 'other.yaml');
    await writeFile(other, 'training.epochs: [3]\n');
    const refused = await sluice(
      ['train', '--config', config, '--search', other, '--out', out],
      undefined,
      LIMIT_MS,
    );
    t.is(refused.code, 2);
    t.regex(refused.stderr, /another configuration or space/);
  },
);

const wrong = test.macro({
  async exec(t, args: readonly string[], words: RegExp) {
    const { code, stderr } = await sluice(args, undefined, LIMIT_MS);
    t.is(code, 2, stderr);
    t.regex(stderr, words);
  },
  title: (what) => `${what} ends with 2 and one line that says how to mend it`,
});

test.serial('a missing --config', wrong, ['train'], /--config FILE is missing; --keys/);
test.serial(
  'a file that is not there',
  wrong,
  ['train', '--config', '/none.yaml'],
  /cannot be read/,
);
test.serial(
  'a run that is not there',
  wrong,
  ['evaluate', '/none'],
  /run\.json cannot be read/,
);
test.serial('an unknown backend', wrong, ['train', '--backend', 'gpu'], /native, wasm/);

test.serial(
  'a network that is not known, and a split that is not there, say what there is',
  async (t) => {
    const { config, directory } = await prepared();
    const text = await readFile(config, 'utf8');
    await writeFile(config, text.replace('flow-cnn', 'flow-gnn'));
    const unknown = await train(config, join(directory, 'run'));
    t.is(unknown.code, 2);
    t.regex(unknown.stderr, /"flow-gnn" is not known; expected one of .*router-cnn/);
    await writeFile(config, text);
    const lost = await train(config, join(directory, 'run'), '--split', 'nosuch');
    t.is(lost.code, 2);
    t.regex(lost.stderr, /nosuch\.json: cannot be read .*dataset split/);
  },
);
