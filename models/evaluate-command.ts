// `sluice evaluate`, the process that measures: started by src/bin/evaluate.ts, which knows nothing of tfjs.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../src/errors.ts';
import { BACKENDS, chooseBackend, describeBackend } from './backend.ts';
import { EXIT, endWith, interruption, say } from './command-line.ts';
import { measureBaselines } from './evaluate/baselines.ts';
import { evaluateRun } from './evaluate/evaluate-run.ts';
import type { Evaluation } from './evaluate/evaluation-report.ts';
import { Judge } from './evaluate/judge.ts';
import { judgingFlows } from './evaluate/judging-flows.ts';
import { comparisonText } from './report/comparison.ts';
import { evaluationPage } from './report/evaluation-page.ts';
import { disposeTrained } from './trained.ts';
import { loadTrained, readRun } from './training/run.ts';

/** As src/bin/evaluate.ts hands them over. */
interface EvaluateArguments {
  readonly runs: readonly string[];
  readonly data?: string;
  readonly split?: string;
  readonly allRows?: boolean;
  readonly out?: string;
  readonly compare?: boolean;
  readonly baselines?: boolean;
  readonly backend?: string;
  readonly json?: boolean;
}

async function main(options: EvaluateArguments): Promise<number> {
  const [first] = options.runs;
  if (first === undefined) throw new InputError('ERR_OPTION', 'no run is named');
  if (options.allRows === true && options.split !== undefined) {
    throw new InputError(
      'ERR_OPTION',
      '--all-rows judges without a split: leave --split out',
    );
  }
  // All of them first: a name that is wrong should not cost the others' time.
  for (const directory of options.runs) await readRun(directory);
  const backend = await chooseBackend(BACKENDS.find((name) => name === options.backend));
  say(`backend     ${describeBackend(backend)}`);
  const signal = interruption();
  const evaluations: Evaluation[] = [];
  for (const directory of options.runs) {
    if (signal.aborted) return EXIT.interrupted;
    const evaluation = await evaluated(directory, options);
    evaluations.push(evaluation);
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(evaluation)}\n`);
    }
  }
  if (options.json !== true) process.stdout.write(`${comparisonText(evaluations)}\n`);
  await writeReport(options.out ?? first, evaluations, options.compare === true);
  return EXIT.done;
}

async function evaluated(
  directory: string,
  options: EvaluateArguments,
): Promise<Evaluation> {
  const run = await readRun(directory);
  const trained = await loadTrained(directory, run);
  const judge = new Judge(run, trained);
  const flows = await judgingFlows(run, options);
  say(`${directory}: ${flows.known.length} flows`);
  const measured = evaluateRun(judge, flows, (what) => say(`  ${what}`));
  const baselines =
    options.baselines === true ? await measureBaselines(judge, flows, say) : [];
  disposeTrained(trained);
  const { config, classes, parameters, commit, backend } = run;
  return {
    format: 'sluice-evaluation',
    version: 1,
    run: {
      name: config.name,
      network: config.network.name,
      options: config.network.options,
      classes,
      level: config.data.level,
      seed: config.training.seed,
      parameters,
      commit,
      backend,
      secondsAnEpoch: run.secondsAnEpoch,
      bestEpoch: run.bestEpoch,
      trainFlows: run.data.counts.train.reduce((a, b) => a + b, 0),
      dataSha256: run.data.sha256,
      history: run.history,
    },
    ...measured,
    baselines,
  };
}

async function writeReport(
  directory: string,
  evaluations: readonly Evaluation[],
  compare: boolean,
): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    const [page, json] = ['report.html', 'report.json'].map((name) =>
      join(directory, name),
    );
    await writeFile(page ?? '', evaluationPage(evaluations, { compare }));
    await writeFile(json ?? '', `${JSON.stringify(evaluations, null, 1)}\n`);
    say(`written to ${page} and ${json}`);
  } catch (cause) {
    throw new InputError(
      'ERR_OUTPUT',
      `the report cannot be written to ${directory}: ${(cause as Error).message}; --out names another place`,
      { cause },
    );
  }
}

await endWith(() => main(JSON.parse(process.argv[2] ?? '{"runs":[]}')));
