// `sluice dataset info DIR`: what a data set holds.

import { readManifest } from '../dataset/dataset-manifest.ts';
import { verifyDataset } from '../dataset/dataset-reader.ts';
import { type DatasetDescription, describeDataset } from '../dataset/describe-dataset.ts';
import { definitionText } from '../dataset/pooling.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'class', width: 16, align: 'left' },
  { title: 'flows', width: 9, align: 'right' },
  { title: 'labelled by', width: 0, align: 'left' },
];

export interface DescribeOptions {
  readonly json?: true;
  readonly verify?: true;
}

/** @throws InputError ERR_DATASET */
export async function describe(
  directory: string,
  options: DescribeOptions,
): Promise<void> {
  const manifest = await readManifest(directory);
  const verified = options.verify === true;
  if (verified) {
    await verifyDataset(directory, manifest);
    say(
      `${directory}: all ${manifest.captures.length} shards are what dataset.json says`,
    );
  }
  const description = await describeDataset(directory, manifest);
  if (options.json === true) {
    const definitions = manifest.sources;
    const more = { definitions, ...(verified && { verified }) };
    await emit(JSON.stringify({ ...description, ...more }));
  } else {
    await print(directory, description);
    for (const [name, source] of Object.entries(manifest.sources)) {
      const { conversion, leftOut, licence } = source;
      say(
        `${name}: ${definitionText(source)}; conversion: ${conversion}; left out: ${leftOut}; licence: ${licence}`,
      );
    }
  }
}

async function print(directory: string, told: DatasetDescription): Promise<void> {
  await emit(heading(COLUMNS));
  for (const [name, { flows, labelledBy }] of Object.entries(told.services)) {
    await emit(row(COLUMNS, [name, thousands(flows), list(labelledBy)]));
  }
  await emit(row(COLUMNS, ['(no label)', thousands(told.rows - told.labelled)]));
  const { captures, clients, hosts, sessions, looks, shown } = told;
  say(
    `${directory}: ${thousands(told.rows)} flows of ${thousands(captures)} captures, ${thousands(clients)} clients, ${thousands(hosts)} hosts, ${thousands(sessions)} sessions`,
  );
  say(
    `sources: ${list(told.sources)}; protocols: ${list(told.protocols)}; handshakes: ${list(told.handshakes)}`,
  );
  say(
    `at most ${told.storedPackets} packets a flow, looks after ${looks.join(', ')}; canary fields shown: ${shown.join(', ') || 'none'}; server names: ${told.keepSni ? 'kept' : 'not kept'}`,
  );
  say(`content ${told.contentSha256}`);
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${thousands(count)}`)
    .join(', ');
