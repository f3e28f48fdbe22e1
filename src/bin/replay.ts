// `sluice replay FILE...`: a capture through flow table, handshake, features and model to a label per encrypted flow.

import { Command } from 'commander';
import { loadBundle } from '../bundle/load-bundle.ts';
import { modelInputsOf } from '../bundle/manifest.ts';
import { SHIPPED_BUNDLE } from '../bundle/shipped-bundle.ts';
import { TRUST_ANY } from '../bundle/trust.ts';
import type { Prediction } from '../classify/classifier.ts';
import { allocateBatch, writeFlow } from '../features/features.ts';
import { factsOf } from '../handshake/facts.ts';
import { handshakeOf } from '../handshake/handshake.ts';
import { visitCaptures } from './captures.ts';
import { FLOW_COLUMNS, type FlowLine, flowCells, flowLine } from './flow-line.ts';
import { Tally } from './tally.ts';
import {
  type Column,
  EXIT_WRONG_INPUT,
  emit,
  formatBytes,
  heading,
  row,
  say,
  thousands,
} from './terminal.ts';
import { type TunnelsOption, tunnelsOption } from './tunnels-option.ts';

const COLUMNS: readonly Column[] = [
  ...FLOW_COLUMNS,
  { title: 'class', width: 9, align: 'left' },
  { title: 'likeliest', width: 9, align: 'left' },
  { title: 'probability', width: 11, align: 'right' },
];

const TALLY_COLUMNS: readonly Column[] = [
  { title: 'class', width: 14, align: 'left' },
  { title: 'flows', width: 9, align: 'right' },
  { title: 'packets', width: 11, align: 'right' },
  { title: 'bytes', width: 8, align: 'right' },
];

interface ReplayOptions extends TunnelsOption {
  readonly json?: true;
  readonly summary?: true;
  readonly bundle: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'classify the encrypted flows (TLS, DTLS, QUIC) of captures and tally the classes',
    )
    .argument('<file...>', 'pcap or pcapng, also gzip; - is standard input')
    .option('--json', 'one JSON object a flow, the last line is the tally')
    .option('--summary', 'the tally only')
    .option('--bundle <path>', 'the model to classify with', SHIPPED_BUNDLE)
    .addOption(tunnelsOption())
    .addHelpText(
      'after',
      '\nA flow is classified when it ends, by its first packets and its handshake; the name of the\nserver is never looked at. `unknown` is a flow that the model is not sure enough of.',
    )
    .action(replay);
}

/** A flow on its way to the model. */
interface Pending {
  readonly line: FlowLine;
  readonly packets: number;
}

async function replay(files: readonly string[], options: ReplayOptions): Promise<void> {
  // Not at the top: the other subcommands do without onnxruntime, and doctor tells when it cannot be loaded.
  const { BATCH_FLOWS, Classifier } = await import('../classify/classifier.ts');
  const classifier = await Classifier.open(await loadBundle(options.bundle, TRUST_ANY));
  const { manifest } = classifier;
  const inputs = modelInputsOf(manifest);
  const { spec } = inputs;
  const modelBatch = allocateBatch(BATCH_FLOWS, spec.seriesSteps);
  const model = `${manifest.name}@${manifest.model.sha256.slice(0, 12)}`;
  const rows = options.summary !== true;
  const tally = new Tally();
  let pending: Pending[] = [];

  const classifyPending = async (): Promise<void> => {
    const flows = pending;
    pending = [];
    if (flows.length === 0) return;
    const predictions = await classifier.classifyBatch(modelBatch, flows.length);
    for (const [i, { line, packets }] of flows.entries()) {
      const prediction = predictions[i];
      if (prediction === undefined) continue;
      tally.add(prediction.class, line);
      if (rows)
        await emit(resultLine(line, prediction, { packets, model }, options.json));
    }
  };

  if (rows && options.json !== true) await emit(heading(COLUMNS));
  const start = process.hrtime.bigint();
  const table = { tunnels: options.tunnels, seriesPackets: spec.packets };
  await visitCaptures(files, table, {
    batch: async (file, batch) => {
      for (const flow of batch) {
        const handshake = handshakeOf(flow);
        const line = flowLine(file, flow, factsOf(handshake));
        if (handshake.kind === undefined) {
          tally.addOther(line);
          continue;
        }
        writeFlow(flow, handshake, inputs, modelBatch, pending.length);
        pending.push({ line, packets: Math.min(flow.seriesPackets, spec.packets) });
        if (pending.length === BATCH_FLOWS) await classifyPending();
      }
    },
    end: async (file, { counters }) => {
      await classifyPending();
      tally.addFrames(counters?.frames ?? 0);
      if (tally.flowsOf(file) === 0) {
        say(
          `${file}: no handshake of TLS, DTLS or QUIC in it, nothing to classify; \`sluice flows\` shows what is`,
        );
        process.exitCode = EXIT_WRONG_INPUT;
      }
    },
  });
  await classifyPending();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  await classifier.close();
  if (options.json === true) await emit(JSON.stringify(tally.summary(seconds)));
  else await printTally(tally, seconds);
}

function resultLine(
  line: FlowLine,
  prediction: Prediction,
  seen: { readonly packets: number; readonly model: string },
  json: true | undefined,
): string {
  const { class: name, likeliest, probability } = prediction;
  if (json !== true)
    return row(COLUMNS, [...flowCells(line), name, likeliest, probability.toFixed(3)]);
  const evidence = {
    packets: seen.packets,
    handshake: line.handshake.state,
    protocol: line.handshake.kind,
    model: seen.model,
  };
  const rounded = Number(probability.toFixed(6));
  return JSON.stringify({
    ...line,
    class: name,
    likeliest,
    probability: rounded,
    evidence,
  });
}

async function printTally(tally: Tally, seconds: number): Promise<void> {
  const { tally: classes, notClassified, rates } = tally.summary(seconds);
  const cells = (
    name: string,
    count: { flows: number; packets: number; bytes: number },
  ) =>
    row(TALLY_COLUMNS, [
      name,
      thousands(count.flows),
      thousands(count.packets),
      formatBytes(count.bytes),
    ]);
  await emit(`\n${heading(TALLY_COLUMNS)}`);
  for (const [name, count] of Object.entries(classes)) await emit(cells(name, count));
  if (notClassified.flows > 0) await emit(cells('(no handshake)', notClassified));
  say(
    `${seconds.toFixed(2)} s, ${thousands(rates.packetsPerSecond)} packets/s, ${thousands(rates.flowsPerSecond)} flows/s`,
  );
}
