// Evaluations -> one page: the runs side by side, then each with its tables and plots.

import type { Evaluation } from '../evaluate/evaluation-report.ts';
import { comparisonTable, seedTable } from './comparison.ts';
import {
  charts,
  confusionMatrix,
  heading,
  interval,
  page,
  paragraph,
  table,
  tiles,
} from './html.ts';
import { lineChart } from './line-chart.ts';
import { percent } from './markup.ts';
import { accuracyCurves, lossCurves } from './training-curves.ts';

export function evaluationPage(
  evaluations: readonly Evaluation[],
  options: { readonly compare: boolean },
): string {
  const [first] = evaluations;
  const title =
    evaluations.length === 1
      ? `Evaluation of ${first?.run.name ?? 'no run'}`
      : `Evaluation of ${evaluations.length} runs`;
  return page(title, [
    heading(1, title),
    paragraph(
      'Intervals are 95%: over runs with other seeds by Student’s t, of one run by drawing its sessions anew 1,000 times.',
      'muted',
    ),
    ...(options.compare || evaluations.length > 1
      ? [heading(2, 'Side by side'), comparisonTable(evaluations), seedTable(evaluations)]
      : []),
    ...evaluations.flatMap(runSection),
  ]);
}

function runSection(evaluation: Evaluation): string[] {
  const { run, data, headline, intervals, calibration, figures } = evaluation;
  return [
    heading(2, `${run.name}: ${run.network}, seed ${run.seed}`),
    paragraph(
      `${run.parameters.toLocaleString('en')} parameters, trained on ${run.trainFlows} flows (${run.level}, ${run.classes.length} classes), judged on ${data.flows} flows of ${data.sessions} sessions${data.split === null ? ', every labelled row of the data set' : `, split ${data.split}`}. Sources: ${data.sources.join(', ')}.`,
    ),
    paragraph(
      data.sameAsTraining
        ? 'The data set is the one it was trained on; the split keeps training flows out.'
        : 'The data set is another one than it was trained on.',
      'muted',
    ),
    tiles([
      [percent(headline.accuracy), `accuracy, ${interval(intervals.accuracy)}`],
      [percent(headline.macroF1), `macro F1, ${interval(intervals.macroF1)}`],
      [percent(headline.weightedF1), `weighted F1, ${interval(intervals.weightedF1)}`],
      [percent(calibration.errorAfter), 'calibration error'],
    ]),
    heading(3, 'Classes'),
    table(
      ['class', 'flows', 'precision', 'recall', 'F1'],
      Object.entries(figures.perClass).map(([name, own]) => [
        name,
        String(own.flows),
        percent(own.precision),
        percent(own.recall),
        percent(own.f1),
      ]),
    ),
    heading(3, 'Confusion matrix'),
    confusionMatrix(figures.confusion, run.classes),
    ...looksSection(evaluation),
    ...subsetSection(evaluation),
    ...inputSection(evaluation),
    ...trustSection(evaluation),
    ...costSection(evaluation),
    ...(run.history.length === 0
      ? []
      : [
          heading(3, 'Training'),
          charts([
            lossCurves(run.history, run.name),
            accuracyCurves(run.history, run.name),
          ]),
        ]),
  ];
}

function looksSection({ afterPackets }: Evaluation): string[] {
  const nameOf = (packets: number | null) => (packets === null ? 'all' : String(packets));
  return [
    heading(3, 'After so many packets'),
    paragraph(
      'Every flow is judged as it was after so many packets, one that has fewer as it was at its end. “Still going on” are flows that have more.',
      'muted',
    ),
    charts([
      lineChart({
        title: 'Accuracy against packets seen',
        xLabel: 'packets',
        yLabel: 'share',
        asPercent: true,
        yRange: [1, 1],
        xNames: afterPackets.map(({ packets }) => nameOf(packets)),
        lines: [
          {
            name: 'accuracy',
            points: afterPackets.map(({ headline }, i) => [i, headline.accuracy]),
          },
          {
            name: 'macro F1',
            points: afterPackets.map(({ headline }, i) => [i, headline.macroF1]),
            dashed: true,
          },
        ],
      }),
      table(
        [
          'packets',
          'accuracy',
          'interval',
          'macro F1',
          'still going on',
          'their accuracy',
        ],
        afterPackets.map(({ packets, headline, intervals, longer }) => [
          nameOf(packets),
          percent(headline.accuracy),
          interval(intervals.accuracy),
          percent(headline.macroF1),
          packets === null ? '' : String(longer.flows),
          packets === null || longer.flows === 0 ? '' : percent(longer.accuracy),
        ]),
      ),
    ]),
  ];
}

function subsetSection({ byProtocol, byAlpn, byHandshake }: Evaluation): string[] {
  const own = [
    ['protocol', byProtocol],
    ['HTTP version offered (ALPN)', byAlpn],
    ['handshake', byHandshake],
  ] as const;
  return [
    heading(3, 'By protocol, HTTP version and handshake'),
    table(
      ['by', 'flows', 'accuracy', 'macro F1'],
      own.flatMap(([by, subsets]) =>
        subsets.map(({ name, flows, accuracy, macroF1 }) => [
          `${by}: ${name}`,
          String(flows),
          percent(accuracy),
          percent(macroF1),
        ]),
      ),
    ),
  ];
}

function inputSection({ ablation, canaries, headline }: Evaluation): string[] {
  return [
    heading(3, 'Without each input'),
    paragraph(
      'The trained network with one input all zeros, and with that input of another flow. A network that was trained without it may do better.',
      'muted',
    ),
    table(
      ['input', 'zeros: accuracy', 'macro F1', 'of another flow: accuracy', 'macro F1'],
      [
        [
          'none left out',
          percent(headline.accuracy),
          percent(headline.macroF1),
          percent(headline.accuracy),
          percent(headline.macroF1),
        ],
        ...ablation.map(({ input, zeros, shuffled }) => [
          input,
          percent(zeros.accuracy),
          percent(zeros.macroF1),
          percent(shuffled.accuracy),
          percent(shuffled.macroF1),
        ]),
      ],
    ),
    heading(3, 'Canary test'),
    paragraph(
      canaries === null
        ? 'The network reads no handshake.'
        : `Server names and cipher suites drawn anew: ${percent(canaries.unmoved)} of the answers stay, accuracy ${percent(canaries.headline.accuracy)}. Of ${canaries.hellos} hellos ${canaries.withName} held a server name and ${canaries.withCiphers} cipher suites${canaries.withName + canaries.withCiphers === 0 ? ': they are occluded, so there was nothing to draw' : ''}.`,
    ),
  ];
}

function trustSection({ calibration, risk, heldOut }: Evaluation): string[] {
  return [
    heading(3, 'How far probabilities can be believed'),
    paragraph(
      `Calibration error ${percent(calibration.errorBefore, 2)} as trained, ${percent(calibration.errorAfter, 2)} at temperature ${calibration.temperature.toFixed(2)}. At the classes’ thresholds ${percent(risk.atThresholds.coverage)} of the flows get an answer, ${percent(risk.atThresholds.accuracy)} of these are right. Mean risk over all coverages ${percent(risk.area, 2)}.`,
    ),
    charts([
      lineChart({
        title: 'Risk against coverage',
        xLabel: 'share of flows that get an answer',
        yLabel: 'wrong',
        asPercent: true,
        yRange: [0, 0],
        lines: [
          {
            name: 'wrong answers',
            points: risk.points.map(({ coverage, risk: r }) => [coverage, r]),
          },
        ],
      }),
      lineChart({
        title: 'Reliability',
        xLabel: 'confidence',
        yLabel: 'right',
        asPercent: true,
        yRange: [0, 1],
        lines: [
          {
            name: 'the network',
            points: calibration.bins.map((bin) => [bin.confidence, bin.accuracy]),
          },
          {
            name: 'as sure as right',
            dashed: true,
            points: [
              [0, 0],
              [1, 1],
            ],
          },
        ],
      }),
    ]),
    paragraph(
      heldOut === null
        ? 'No flows of classes that training had not seen.'
        : `Of classes that training had not seen (${heldOut.classes.join(', ')}), ${heldOut.flows} flows: confidence tells them from known ones with an AUROC of ${heldOut.auroc.toFixed(3)}.`,
    ),
  ];
}

function costSection({ cost, baselines, run, headline }: Evaluation): string[] {
  return [
    heading(3, 'Cost'),
    paragraph(
      `Microseconds a flow on this machine, ${run.backend} backend of tfjs, not the int8 model that routers run: features ${cost.featuresMicroseconds.toFixed(0)}; with the network ${cost.batchFlows.map(({ batch, microsecondsAFlow }) => `${microsecondsAFlow.toFixed(0)} in batches of ${batch}`).join(', ')}.`,
    ),
    ...(baselines.length === 0
      ? []
      : [
          heading(3, 'Simpler ways on the same flows'),
          table(
            ['model', 'accuracy', 'macro F1', 'weighted F1', 'seconds'],
            [
              ...baselines.map(({ name, headline: own, seconds }) => [
                name,
                percent(own.accuracy),
                percent(own.macroF1),
                percent(own.weightedF1),
                seconds.toFixed(1),
              ]),
              [
                run.name,
                percent(headline.accuracy),
                percent(headline.macroF1),
                percent(headline.weightedF1),
                '',
              ],
            ],
          ),
        ]),
  ];
}
