// Simpler ways on the very flows that judge a run, learnt from the run's own training flows.

import { BASELINE_MODELS } from '../baselines/baseline-models.ts';
import { lookUp } from '../baselines/look-up.ts';
import { openData } from '../data/open-data.ts';
import { likeliest } from '../metrics.ts';
import { labelledRows } from '../training/preparation.ts';
import { bootstrap, type Headline } from './bootstrap.ts';
import type { JudgingFlows } from './evaluate-run.ts';
import type { Evaluation } from './evaluation-report.ts';
import type { Judge } from './judge.ts';

/** Packets that they read: more cost time, and help none of them. */
const MOST_PACKETS = 30;

export async function measureBaselines(
  { run, spec }: Judge,
  { known }: JudgingFlows,
  say: (text: string) => void,
): Promise<Evaluation['baselines']> {
  const data = await openData({ ...run.config.data, classes: run.classes });
  const train = await labelledRows(data, 'train', spec.features.packets);
  const labels = Int32Array.from(train, ({ label }) => label);
  const tested = Int32Array.from(known, ({ label }) => label);
  const sessions = known.map(({ row }) => row.session);
  const { length: classes } = run.classes;
  const headlineOf = (answers: Float32Array): Headline =>
    bootstrap(likeliest(answers, classes), tested, sessions, classes).headline;
  const asked = {
    flows: { train, test: known, classes: run.classes },
    labels,
    packets: Math.min(MOST_PACKETS, spec.features.packets),
    spec: spec.features,
    seed: run.config.training.seed,
  };
  const own = BASELINE_MODELS.filter(({ peer }) => !peer).map(({ name, run: answer }) => {
    say(`  baseline ${name}`);
    const start = performance.now();
    const headline = headlineOf(answer(asked));
    return { name, headline, seconds: (performance.now() - start) / 1000 };
  });
  const hosts = (rows: typeof train) => rows.map(({ row }) => row.host);
  const start = performance.now();
  const looked = lookUp(hosts(train), labels, hosts([...known]), classes);
  return [
    ...own,
    {
      name: 'look-up of the server (name, or address where there is none)',
      headline: headlineOf(looked),
      seconds: (performance.now() - start) / 1000,
    },
  ];
}
