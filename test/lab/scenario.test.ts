import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { Draw } from '../../lab/draw.ts';
import { readPushes } from '../../lab/origin/pushes.ts';
import { compileScenario } from '../../lab/scenario/compile.ts';
import { drawFigure, FIGURE } from '../../lab/scenario/figure.ts';
import { loadScenarios } from '../../lab/scenario/load.ts';
import { SCENARIO } from '../../lab/scenario/scenario.ts';
import type { Step } from '../../lab/scenario/step.ts';
import { SERVICES } from '../../models/labels.ts';
import { InputError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const SCENARIOS = 'lab/scenarios';

test('every service has three scenarios or more, and all draws of them make sense', (t) => {
  const all = loadScenarios(SCENARIOS);
  for (const service of SERVICES) {
    const own = all.filter((scenario) => scenario.service === service);
    t.true(own.length >= 3, `${service}: ${own.length}`);
  }
  for (const scenario of all) {
    for (let seed = 0; seed < 10; seed++) {
      for (const step of flat(compileScenario(scenario, seed))) {
        for (const [key, value] of Object.entries(step)) {
          if (typeof value !== 'number') continue;
          t.true(value >= 0 && Number.isSafeInteger(value), `${scenario.name} ${key}`);
        }
      }
    }
  }
});

test('a seed draws the same steps again, another seed others', (t) => {
  for (const scenario of loadScenarios(SCENARIOS)) {
    const steps = compileScenario(scenario, 7);
    t.deepEqual(compileScenario(scenario, 7), steps);
    t.notDeepEqual(compileScenario(scenario, 8), steps, scenario.name);
  }
});

test('a scenario tells what it needs, wherever in it that stands', (t) => {
  const needs = new Map(
    loadScenarios(SCENARIOS).map((one) => [one.name, [...one.needs].sort()]),
  );
  t.deepEqual(needs.get('mail/imap-inbox'), ['mail']);
  t.deepEqual(needs.get('mail/smtp-submit'), ['mail']);
  t.deepEqual(needs.get('streaming/film'), ['films']);
  t.deepEqual(needs.get('chat/browser-call'), ['requests', 'talk']);
  t.deepEqual(needs.get('web/interface-calls'), ['requests']);
});

test('a talk has messages and pushes as a channel has', (t) => {
  const shooter = loadScenarios(SCENARIOS).find(
    (one) => one.name === 'games/browser-shooter',
  );
  if (shooter === undefined) return t.fail('no such scenario');
  const talk = flat(compileScenario(shooter, 5)).find((step) => step.op === 'talk');
  if (talk?.op !== 'talk') return t.fail('no talk in it');
  t.is(talk.media, 'none');
  t.true(talk.sends.length > 50);
  t.true(readPushes(talk.push).length > 50);
});

/** Every step, those within others too. */
function flat(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    'steps' in step ? [step, ...flat(step.steps)] : [step],
  );
}

const SCENARIO_LEAST = {
  service: 'web',
  application: 'made-up',
  title: 'For the tests alone',
  figures: { size: { uniform: [10, 20], assumption: true } },
  steps: [{ get: { host: 'main', down: 'size' } }],
};

interface Wrong {
  readonly change: object;
  readonly says: RegExp;
}

const refuses = test.macro({
  exec(t, { change, says }: Wrong) {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'web'));
    const file = join(folder, 'web', 'one.yaml');
    writeFileSync(file, JSON.stringify({ ...SCENARIO_LEAST, ...change }));
    const fault = t.throws(() => loadScenarios(folder), { instanceOf: InputError });
    t.regex(fault?.message ?? '', says);
    t.false(fault?.message.includes('\n'));
  },
  title: (given) => `a scenario is refused in one line ${given}`,
});

test('with a figure that nobody vouches for', refuses, {
  change: { figures: { size: { uniform: [10, 20] } } },
  says: /source: TEXT or assumption: true.*size/,
});
test('with two distributions in a figure', refuses, {
  change: { figures: { size: { uniform: [1, 2], fixed: 3, assumption: true } } },
  says: /exactly one of/,
});
test('with an amount that is no figure', refuses, {
  change: { steps: [{ get: { host: 'main', down: 'weight' } }] },
  says: /web\/made-up: no figure "weight"/,
});
test('with a host that is not declared', refuses, {
  change: { steps: [{ get: { host: 'elsewhere', down: 5 } }] },
  says: /no host "elsewhere"/,
});
test('with an unknown key', refuses, { change: { colour: 'red' }, says: /colour/ });
test('in the folder of another service', refuses, {
  change: { service: 'chat' },
  says: /service chat in the folder of web/,
});

test('a scenario that is right is taken, with its defaults', (t) => {
  const { weight, protocols, hosts } = SCENARIO.parse(SCENARIO_LEAST);
  t.deepEqual(
    { weight, protocols, hosts },
    {
      weight: 1,
      protocols: ['h1', 'h2', 'h3'],
      hosts: ['main'],
    },
  );
});

test('what is drawn once stays the same within an activity, else it moves', (t) => {
  const scenario = SCENARIO.parse({
    ...SCENARIO_LEAST,
    figures: {
      habit: { uniform: [0, 1e6], once: true, assumption: true },
      moment: { uniform: [0, 1e6], assumption: true },
    },
    steps: [
      { repeat: 20, steps: [{ get: { host: 'main', up: 'habit', down: 'moment' } }] },
    ],
  });
  const steps = compileScenario({ ...scenario }, 3).filter((step) => step.op === 'get');
  t.is(steps.length, 20);
  t.is(new Set(steps.map(({ up }) => up)).size, 1);
  t.true(new Set(steps.map(({ down }) => down)).size > 15);
});

test('messages of a channel come in order and within its time', (t) => {
  const scenario = SCENARIO.parse({
    ...SCENARIO_LEAST,
    steps: [
      {
        channel: {
          host: 'main',
          lasts: 5000,
          send: [
            { every: 100, up: 'size', replies: [{ after: 5, down: 'size' }] },
            { every: 350, up: 'size', from: 1000, until: 3000 },
          ],
        },
      },
    ],
  });
  for (let seed = 0; seed < 20; seed++) {
    const [channel] = compileScenario(scenario, seed);
    if (channel?.op !== 'channel') return t.fail();
    const times = channel.sends.map(({ at }) => at);
    t.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    t.true(times.every((at) => at >= 0 && at < 5000));
    // 50 each 100 ms, 5 or 6 in two seconds each 350.
    t.true(times.length >= 54 && times.length <= 57, String(times.length));
  }
});

const AMOUNT = fc.double({ min: 0, max: 1e6, noNaN: true });
const DISTRIBUTION = fc.oneof(
  fc.record({ fixed: AMOUNT }),
  fc.record({ uniform: fc.tuple(AMOUNT, AMOUNT) }),
  fc.record({ logNormal: fc.tuple(AMOUNT, fc.double({ min: 0, max: 3, noNaN: true })) }),
  fc.record({ exponential: fc.double({ min: 1e-3, max: 1e6, noNaN: true }) }),
  fc.record({ oneOf: fc.array(AMOUNT, { minLength: 1, maxLength: 5 }) }),
);

test('no draw leaves the ends of its figure', (t) => {
  fc.assert(
    fc.property(DISTRIBUTION, fc.nat(), (distribution, seed) => {
      const figure = FIGURE.parse({
        ...distribution,
        within: [10, 1000],
        assumption: true,
      });
      const drawn = drawFigure(figure, new Draw(seed));
      return drawn >= 10 && drawn <= 1000;
    }),
  );
  t.pass();
});
