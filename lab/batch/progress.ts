// How a run goes, in words.

import { cpus } from 'node:os';
import { SERVICES } from '../../models/labels.ts';
import { type BatchFacts, countFlows } from './facts.ts';

/** Starts to measure; the function gives the share of the processors' time that was not idle since. */
export function busyShare(): () => number {
  const read = (): { busy: number; all: number } => {
    let busy = 0;
    let all = 0;
    for (const { times } of cpus()) {
      const sum = times.user + times.nice + times.sys + times.irq + times.idle;
      all += sum;
      busy += sum - times.idle;
    }
    return { busy, all };
  };
  const start = read();
  return () => {
    const now = read();
    const all = now.all - start.all;
    return all === 0 ? 0 : Number(((now.busy - start.busy) / all).toFixed(3));
  };
}

interface Run {
  readonly flows: number;
  /** Batches that stood before. */
  readonly before: number;
  readonly started: number;
}

export function describeProgress(
  facts: BatchFacts,
  done: readonly BatchFacts[],
  { flows, before, started }: Run,
): string {
  const all = countFlows(done).all;
  const made = countFlows(done.slice(before)).all;
  const minutes = (Date.now() - started) / 60_000;
  const pace = made / minutes;
  const left = Math.max(0, flows - all) / Math.max(pace, 0.001);
  const own = countFlows([facts]);
  const services = SERVICES.map(
    (service) => `${service} ${own.of(service, false)}+${own.of(service, true)}`,
  ).join(', ');
  const late = `lateness p99 ${(facts.latenessUs.p99 / 1000).toFixed(2)} ms`;
  const busy = `CPU ${Math.round(facts.busy * 100)}%`;
  return (
    `${facts.name}: ${own.all} flows in ${facts.seconds} s (TLS+QUIC: ${services}), ${late}, ${busy}; ` +
    `${all} of ${flows}, ${Math.round(pace)} a minute, ${describeMinutes(left)} to go`
  );
}

function describeMinutes(minutes: number): string {
  const whole = Math.ceil(minutes);
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}
