// What labels reach: flows by service, by name and by session.

import type { Sessions } from './sessions.ts';

interface Count {
  /** The flow's own name told. */
  byName: number;
  /** Another flow's of its session. */
  bySession: number;
}

/** The object of `sluice dataset info --json`. Names are a contract. */
export interface CoverageSummary {
  /** Flows with a handshake: those that can be labelled. */
  readonly flows: number;
  readonly labelled: number;
  readonly byName: number;
  readonly bySession: number;
  /** bySession / byName; 0 where nothing has a name. */
  readonly gainedShare: number;
  readonly sessions: number;
  /** Sessions whose names stand for different services. */
  readonly conflicts: number;
  readonly services: Readonly<Record<string, Readonly<Count>>>;
}

export class Coverage {
  readonly #services = new Map<string, Count>();
  #flows = 0;
  #sessions = 0;
  #conflicts = 0;

  /** Adds the flows of a capture. */
  add({ flows, sessions, conflicts }: Sessions): void {
    this.#flows += flows.length;
    this.#sessions += sessions;
    this.#conflicts += conflicts;
    for (const { label, source } of flows) {
      if (label === undefined) continue;
      const count = this.#services.get(label.service) ?? { byName: 0, bySession: 0 };
      this.#services.set(label.service, count);
      if (source === 'name') count.byName++;
      else count.bySession++;
    }
  }

  summary(): CoverageSummary {
    const counts = [...this.#services.values()];
    const byName = counts.reduce((sum, count) => sum + count.byName, 0);
    const bySession = counts.reduce((sum, count) => sum + count.bySession, 0);
    return {
      flows: this.#flows,
      labelled: byName + bySession,
      byName,
      bySession,
      gainedShare: byName === 0 ? 0 : bySession / byName,
      sessions: this.#sessions,
      conflicts: this.#conflicts,
      services: Object.fromEntries(
        [...this.#services].sort(([a], [b]) => (a < b ? -1 : 1)),
      ),
    };
  }
}
