// Rows -> what a network is shown: a flow each, or, for networks that judge sessions, the flows of a session together.

import { InputError } from '../../src/errors.ts';
import type { Example } from './batch.ts';
import type { LabelledRow } from './flow-source.ts';
import type { TrainingRow } from './training-row.ts';

/** A flow each, whole or after so many packets. */
export function flowExamples(flows: readonly LabelledRow[], cut?: number): Example[] {
  return flows.map(({ row, label }) => ({ rows: [row], label, cut }));
}

/**
 * A session each, its flows in the order of time, its label that of most of its flows (of equally many the first). Paper 4: the UC
 * Davis CNN-LSTM labels the session.
 */
export function sessionExamples(
  flows: readonly LabelledRow[],
  classes: number,
  cut?: number,
): Example[] {
  const sessions = new Map<string, LabelledRow[]>();
  for (const flow of flows) {
    const known = sessions.get(flow.row.session);
    if (known === undefined) sessions.set(flow.row.session, [flow]);
    else known.push(flow);
  }
  return Array.from(sessions.values(), (own) => {
    const counts = new Array<number>(classes).fill(0);
    for (const { label } of own) if (label >= 0) counts[label] = (counts[label] ?? 0) + 1;
    const most = Math.max(...counts);
    const label = most === 0 ? -1 : counts.indexOf(most);
    return { rows: own.map(({ row }) => row).sort(byTime), label, cut };
  });
}

function byTime(a: TrainingRow, b: TrainingRow): number {
  return (a.startUs ?? 0) - (b.startUs ?? 0) || a.flow - b.flow;
}

/** @throws InputError ERR_TRAINING_DATA where sessions would have to be streamed: they lie scattered over files */
export function refuseStreamedSessions(row: 'flow' | 'session', kept: string): void {
  if (row === 'flow' || kept === 'memory') return;
  throw new InputError(
    'ERR_TRAINING_DATA',
    'a network that judges sessions wants all flows in memory: raise data.memoryMb, or train on fewer flows',
  );
}
