// Costs of all runs -> the table for people, the JSON lines for scripts, and what they say about the targets.

import { cpus, totalmem } from 'node:os';
import {
  type Column,
  formatBytes,
  heading,
  row,
  thousands,
} from '../../src/bin/terminal.ts';
import type { Capture } from './captures.ts';
import type { Cost } from './measure.ts';
import { OURS, type Tool } from './tools.ts';

/** The least that sluice is to make of each of these tools' packets per CPU second (docs: budgets). */
const TARGETS: Readonly<Record<string, number>> = { ndpiReader: 5, softflowd: 1 };

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One tool on one capture: a cost a round, in the order of the rounds. */
export interface Measured {
  readonly tool: Tool;
  readonly version: string;
  readonly costs: readonly Cost[];
}

/** One tool on one capture, summed up. Names are those of the JSON lines. */
export interface Figures {
  readonly tool: string;
  readonly version: string;
  readonly packetsPerCpuSecond: Spread;
  /** How many times sluice's processor time it took, round by round. */
  readonly timesSluice: Spread;
  readonly cpuSeconds: Spread;
  readonly wallSeconds: Spread;
  readonly peakBytes: Spread;
}

/** @throws RangeError on an empty list. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)];
  const high = sorted[Math.ceil(middle)];
  const min = sorted[0];
  const max = sorted.at(-1);
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new RangeError('no values to sum up');
  }
  return { median: (low + high) / 2, min, max };
}

/** Figures of all tools on one capture; ratios compare runs of one round. */
export function figuresOf(capture: Capture, measured: readonly Measured[]): Figures[] {
  const ours = measured.find(({ tool }) => tool.name === OURS)?.costs ?? [];
  return measured.map(({ tool, version, costs }) => ({
    tool: tool.name,
    version,
    packetsPerCpuSecond: spread(
      costs.map(({ cpuSeconds }) => capture.facts.packets / cpuSeconds),
    ),
    timesSluice: spread(
      costs.map(({ cpuSeconds }, round) => {
        return cpuSeconds / (ours[round]?.cpuSeconds ?? Number.NaN);
      }),
    ),
    cpuSeconds: spread(costs.map(({ cpuSeconds }) => cpuSeconds)),
    wallSeconds: spread(costs.map(({ wallSeconds }) => wallSeconds)),
    peakBytes: spread(costs.map(({ peakBytes }) => peakBytes)),
  }));
}

const COLUMNS: readonly Column[] = [
  { title: 'tool', width: 14, align: 'left' },
  { title: 'version', width: 8, align: 'left' },
  { title: 'packets per CPU second', width: 33, align: 'right' },
  { title: 'sluice is so many times it', width: 26, align: 'right' },
  { title: 'CPU s', width: 6, align: 'right' },
  { title: 'peak MiB', width: 8, align: 'right' },
];

export function tableOf(figures: readonly Figures[]): string {
  const lines = figures.map((line) => {
    const rate = line.packetsPerCpuSecond;
    const ratio = line.timesSluice;
    const many = (
      { median, min, max }: Spread,
      text: (value: number) => string,
    ): string => `${text(median)} [${text(min)}-${text(max)}]`;
    return row(COLUMNS, [
      line.tool,
      line.version,
      many(rate, (value) => thousands(value)),
      line.tool === OURS ? '1' : many(ratio, (value) => value.toFixed(2)),
      line.cpuSeconds.median.toFixed(2),
      (line.peakBytes.median / 2 ** 20).toFixed(0),
    ]);
  });
  return [heading(COLUMNS), ...lines].join('\n');
}

/** A line a target. */
export function verdicts(figures: readonly Figures[]): string[] {
  return figures.flatMap(({ tool, timesSluice: { median, min } }) => {
    const wanted = TARGETS[tool];
    if (wanted === undefined) return [];
    const met = median >= wanted ? 'met' : 'MISSED';
    const found = `${median.toFixed(2)} (worst round ${min.toFixed(2)})`;
    return [`target: sluice >= ${wanted} x ${tool}: ${found}, ${met}`];
  });
}

export function captureLine(capture: Capture): string {
  const { facts, packetsPerFlow } = capture;
  const parts = [
    `${thousands(facts.packets)} packets`,
    `${thousands(facts.flows)} flows (${(facts.packets / facts.flows).toFixed(1)} packets a flow)`,
    formatBytes(facts.fileBytes),
    `${facts.seconds.toFixed(0)} s of traffic`,
  ];
  return `About ${thousands(packetsPerFlow)} packets a flow: ${parts.join(', ')}`;
}

export function machine(): {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly arch: string;
} {
  const cores = cpus();
  return {
    cpu: cores[0]?.model ?? 'unknown CPU',
    cores: cores.length,
    memoryBytes: totalmem(),
    node: process.version,
    arch: process.arch,
  };
}
