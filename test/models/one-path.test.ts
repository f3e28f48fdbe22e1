// Training and serving, each from the same capture to a model's inputs by its own way: not a bit may differ.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { flowsOf, readLabData } from '../../models/lab-data.ts';
import { featureSpec } from '../../models/prepared-data.ts';
import { samplesOf } from '../../models/samples.ts';
import { loadBundle } from '../../src/bundle/load-bundle.ts';
import { Classifier } from '../../src/classify/classifier.ts';
import {
  allocateBatch,
  type Features,
  featuresOf,
  writeRow,
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

/** As `sluice replay` makes them, of the labelled flows. */
async function served(classifier: Classifier): Promise<Features[]> {
  const wanted = labelled();
  const features: Features[] = [];
  const capture = join(FIXTURES, 'lab-demo.pcap.gz');
  for await (const batch of readFlows(capture, {}, emptySummary())) {
    for (const flow of batch) {
      if (!wanted.has(`${flow.client} ${flow.clientPort} ${flow.startUs}`)) continue;
      features.push(featuresOf(flow, handshakeOf(flow), classifier.featureSpec));
    }
  }
  return features;
}

test('the inputs of training and of serving are the same, bit for bit', async (t) => {
  const classifier = await Classifier.open(await loadBundle(BUNDLE));
  const { seriesSteps, statistics } = classifier.manifest.features;
  const spec = featureSpec({
    seriesSteps,
    shownCanaries: classifier.manifest.occlusion.shown,
  });
  const { captures } = await readLabData(FIXTURES, { spec, cuts: [] });
  const trained = samplesOf(flowsOf(captures), statistics, seriesSteps);

  const flows = await served(classifier);
  const batch = allocateBatch(flows.length, seriesSteps);
  flows.forEach((features, b) => {
    writeRow(features, statistics, batch, b);
  });
  await classifier.close();

  t.true(flows.length >= 20);
  t.is(trained.count, flows.length);
  t.deepEqual(trained.inputs.handshake_bytes, batch.handshakeBytes);
  t.deepEqual(trained.inputs.series, batch.series);
  t.deepEqual(trained.inputs.statistics, batch.statistics);
  t.true(batch.handshakeBytes.some((byte) => byte !== 0));
});
