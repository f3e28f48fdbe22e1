// Training and serving, each from the same capture to a model's inputs by its own way: not a bit may differ.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { flowsOf, readLabData } from '../../models/lab-data.ts';
import { featureSpec } from '../../models/prepared-data.ts';
import { samplesOf } from '../../models/samples.ts';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import { type Manifest, modelInputsOf } from '../../src/bundle/manifest.ts';
import {
  allocateBatch,
  type FeatureBatch,
  PAPER_PACKETS,
  writeFlow,
} from '../../src/features/features.ts';
import { emptySummary, readFlows } from '../../src/flow/read-flows.ts';
import { handshakeOf } from '../../src/handshake/handshake.ts';
import { ROOT } from '../helpers/sluice.ts';

const FIXTURES = join(ROOT, 'test/fixtures');
const BUNDLE = join(ROOT, 'models/bundles/router-cnn');

/** Client's end and start of each labelled flow: what tells it from the others. */
function labelled(): Set<string> {
  const lines = readFileSync(join(FIXTURES, 'lab-demo.labels.jsonl'), 'utf8').trim();
  return new Set(
    lines.split('\n').map((line) => {
      const { client, clientPort, startUs } = JSON.parse(line);
      return `${client} ${clientPort} ${startUs}`;
    }),
  );
}

/** As replay and agent make them, of the labelled flows: straight into a model's memory. */
async function served(
  manifest: Manifest,
): Promise<{ flows: number; batch: FeatureBatch }> {
  const wanted = labelled();
  const inputs = modelInputsOf(manifest);
  const batch = allocateBatch(wanted.size, inputs.spec.seriesSteps);
  // What an earlier flow has left behind must not shine through.
  batch.handshakeBytes.fill(7);
  batch.series.fill(7);
  batch.statistics.fill(7);
  const capture = join(FIXTURES, 'lab-demo.pcap.gz');
  const table = { seriesPackets: inputs.spec.packets };
  let flows = 0;
  for await (const records of readFlows(capture, table, emptySummary())) {
    for (const flow of records) {
      if (!wanted.has(`${flow.client} ${flow.clientPort} ${flow.startUs}`)) continue;
      writeFlow(flow, handshakeOf(flow), inputs, batch, flows++);
    }
  }
  return { flows, batch };
}

test('the inputs of training and of serving are the same, bit for bit', async (t) => {
  const { manifest } = await loadBundle(BUNDLE);
  const { seriesSteps, statistics } = manifest.features;
  const spec = featureSpec({
    seriesSteps,
    packets: PAPER_PACKETS,
    shownCanaries: manifest.occlusion.shown,
  });
  const { captures } = await readLabData(FIXTURES, { spec, cuts: [] });
  const trained = samplesOf(flowsOf(captures), statistics, seriesSteps);

  const { flows, batch } = await served(manifest);

  t.true(flows >= 20);
  t.is(trained.count, flows);
  t.deepEqual(trained.inputs.handshake_bytes, batch.handshakeBytes);
  t.deepEqual(trained.inputs.series, batch.series);
  t.deepEqual(trained.inputs.statistics, batch.statistics);
  t.true(batch.handshakeBytes.some((byte) => byte !== 0));
});
