// `sluice evaluate`: trained networks and flows that none of them trained on -> figures, as JSON and as a page. The work is done by
// dist/models/evaluate-command.js.

import { Command, Option } from 'commander';
import { runTrainingProcess } from './training-process.ts';

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('measure trained networks on flows that they never trained on')
    .argument('<run...>', 'runs of `sluice train`; of several seeds of one network, all')
    .option('--data <directory>', "the data set (default: the run's own)")
    .option('--split <name>', "its split; its test part judges (default: the run's own)")
    .option('--all-rows', 'every labelled row of the data set judges, there is no split')
    .option('-o, --out <directory>', 'report.html and report.json (default: the run)')
    .option('--compare', 'runs side by side, a row each, as the table of the paper')
    .option('--baselines', 'also majority, look-up, 1-NN, C4.5 and extra trees')
    .addOption(
      new Option('--backend <name>', 'what computes (default: the fastest there is)') //
        .choices(['native', 'wasm']),
    )
    .option('--json', 'the report on standard output, a JSON object a run')
    .addHelpText(
      'after',
      `
A report holds accuracy, macro and weighted F1 with 95% intervals over sessions, each class, the confusion matrix, figures by
protocol and ALPN, after so many packets, without each input, with canary fields drawn anew, calibration, risk and coverage,
classes held out, and cost a flow. docs/evaluation.md says how each is measured.`,
    )
    .action(evaluate);
}

async function evaluate(
  runs: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  process.exitCode = await runTrainingProcess('evaluate-command', { runs, ...options });
}
