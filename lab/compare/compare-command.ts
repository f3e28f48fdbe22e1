// `lab compare SET OTHER`: how alike two data sets are, service by service, as a picture and a table.

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { SERVICES } from '../../models/labels.ts';
import { compareSvg } from './compare-svg.ts';
import { distance, MEASURE_NAMES, readSamples } from './samples.ts';

export function addCompareCommand(program: Command): void {
  program
    .command('compare')
    .description(
      'draw the sizes and times of two data sets beside each other, and tell how far apart they are',
    )
    .argument('<set>', 'a data set of `sluice dataset build`')
    .argument('<other>', 'another one, such as of real captures')
    .option('--out <file>', 'where the picture goes (SVG)', 'compare.svg')
    .action(compare);
}

async function compare(
  set: string,
  other: string,
  options: { out: string },
): Promise<void> {
  const first = { name: basename(set), samples: await readSamples(set) };
  const second = { name: basename(other), samples: await readSamples(other) };
  writeFileSync(options.out, compareSvg(first, second));
  const line = (cells: readonly (string | number)[]): void => {
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  };
  const head = ['service', `flows, ${first.name}`, `flows, ${second.name}`];
  line([...head, ...MEASURE_NAMES]);
  line([...head, ...MEASURE_NAMES].map(() => '---'));
  for (const service of SERVICES) {
    const [one, two] = [first.samples.get(service), second.samples.get(service)];
    if (one === undefined || two === undefined) continue;
    const far = MEASURE_NAMES.map((name) => distance(one.of[name], two.of[name]));
    line([service, one.flows, two.flows, ...far.map((d) => d.toFixed(2))]);
  }
}
