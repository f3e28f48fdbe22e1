// What the batches of a folder are, as Markdown: how they were made, and how many flows each service has.

import { SERVICES } from '../../models/labels.ts';
import { type BatchFacts, countFlows, readBatches } from './facts.ts';

/** Undefined when the folder holds no batches. */
export function describeBatches(folder: string): string | undefined {
  const batches = readBatches(folder);
  if (batches.length === 0) return undefined;
  const rows = batches.map((one) => {
    const { p50, p99, max } = one.latenessUs;
    const flows = countFlows([one]).all;
    return [
      one.name,
      one.startedAt.slice(0, 16).replace('T', ' '),
      one.seconds,
      one.seats,
      one.activities,
      flows,
      Math.round((flows * 60) / one.seconds),
      one.unused,
      one.alike,
      Object.values(one.faults).reduce((sum, count) => sum + count, 0),
      one.path.packetsUp + one.path.packetsDown,
      `${(p50 / 1000).toFixed(2)} ${(p99 / 1000).toFixed(2)} ${(max / 1000).toFixed(1)}`,
      Math.round(one.busy * 100),
    ];
  });
  const head = [
    ...[
      'batch',
      'UTC',
      's',
      'seats',
      'activities',
      'flows',
      'a minute',
      'unused',
      'alike',
      'faults',
    ],
    ...['packets', 'late ms p50 p99 max', 'CPU %'],
  ];
  return `${table([head, ...rows])}\n${serviceTable(batches)}`;
}

function serviceTable(batches: readonly BatchFacts[]): string {
  const { of, all } = countFlows(batches);
  const activities = countFlows(batches, 'played');
  const rows = SERVICES.map((service) => [
    service,
    of(service, false),
    of(service, true),
    of(service, false) + of(service, true),
    activities.of(service, false) + activities.of(service, true),
  ]);
  const head = ['service', 'TLS', 'QUIC', 'flows of ten packets or more', 'activities'];
  return table([head, ...rows, ['all', '', '', all, activities.all]]);
}

export function table([head = [], ...rows]: readonly (readonly (
  | string
  | number
)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
