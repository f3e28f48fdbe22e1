// Flows as they end -> their session and its label, in bounded memory: what sessions.ts does with all flows of a capture, for a
// router that sees them one by one. Departs from it: a label spreads to what ends later, never back; and a flow without a
// ClientHello joins by what its peers' software was until then.

import type { LabelMatch } from './label-table.ts';
import { SESSION_GAP_US, type SessionFlow } from './sessions.ts';

export interface LiveSession {
  /** Number of the session in this run. */
  readonly session: number;
  readonly label: LabelMatch | undefined;
  /** `session`: the name was another flow's. undefined: no label. */
  readonly source: 'name' | 'session' | undefined;
}

interface Session {
  readonly number: number;
  readonly software: string | undefined;
  /** Of its flows' names; undefined: none, or they stand for several services. */
  label: LabelMatch | undefined;
  conflict: boolean;
}

/** Sessions of one client, server and port that follow on each other. */
interface Stretch {
  untilUs: number;
  readonly sessions: Session[];
}

/** Kinds of software behind one address that are told apart; a NAT has more, an attacker has any number. */
const SOFTWARE_MAX = 64;

/** Twice the gap: what ends now may have begun a gap's length ago. */
const FORGET_US = 2 * SESSION_GAP_US;

export class CollectSessions {
  /** Pushed out before their time. */
  forgotten = 0;
  readonly #max: number;
  /** The longest silent first. */
  readonly #stretches = new Map<string, Stretch>();
  /** By digests of session ids and tickets. */
  readonly #resumable = new Map<string, Session>();
  #next = 0;

  /** @param max stretches, and as many ids and tickets, that are remembered */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#stretches.size;
  }

  /** In the order of their ends. */
  take(flow: SessionFlow): LiveSession {
    const stretch = this.#stretchOf(flow);
    const session = this.#resumed(flow) ?? this.#near(flow, stretch);
    for (const key of flow.resumption) this.#remember(key, session);
    if (flow.label !== undefined) spread(session, flow.label);
    const label = flow.label ?? (session.conflict ? undefined : session.label);
    const source =
      flow.label !== undefined ? 'name' : label === undefined ? undefined : 'session';
    return { session: session.number, label, source };
  }

  #stretchOf({ peers, startUs, endUs }: SessionFlow): Stretch {
    const before = this.#stretches.get(peers);
    this.#stretches.delete(peers);
    const goesOn = before !== undefined && startUs <= before.untilUs + SESSION_GAP_US;
    const stretch = goesOn ? before : { untilUs: endUs, sessions: [] };
    stretch.untilUs = Math.max(stretch.untilUs, endUs);
    this.#stretches.set(peers, stretch);
    this.#forgetBefore(endUs - FORGET_US);
    if (this.#stretches.size > this.#max) {
      this.forgotten++;
      deleteFirst(this.#stretches);
    }
    return stretch;
  }

  /** Some at a time: they stand in the order of their last flows, about that of their ends. */
  #forgetBefore(us: number): void {
    for (const [peers, { untilUs }] of this.#stretches) {
      if (untilUs >= us) return;
      this.#stretches.delete(peers);
    }
  }

  #resumed({ resumption }: SessionFlow): Session | undefined {
    for (const key of resumption) {
      const session = this.#resumable.get(key);
      if (session !== undefined) return session;
    }
    return undefined;
  }

  #near({ software }: SessionFlow, { sessions }: Stretch): Session {
    const [only] = sessions;
    const same =
      software === undefined
        ? sessions.length === 1
          ? only
          : undefined
        : sessions.find((session) => session.software === software);
    if (same !== undefined) return same;
    const made: Session = {
      number: this.#next++,
      software,
      label: undefined,
      conflict: false,
    };
    if (sessions.length < SOFTWARE_MAX) sessions.push(made);
    return made;
  }

  #remember(key: string, session: Session): void {
    this.#resumable.delete(key);
    this.#resumable.set(key, session);
    if (this.#resumable.size > this.#max) deleteFirst(this.#resumable);
  }
}

/** Where names stand for several services nothing spreads; of several applications none. */
function spread(session: Session, label: LabelMatch): void {
  const { label: before } = session;
  if (before === undefined) session.label = label;
  else if (before.service !== label.service) session.conflict = true;
  else if (before.application !== label.application) {
    session.label = { ...before, application: undefined };
  }
}

function deleteFirst<K>(map: Map<K, unknown>): void {
  const first = map.keys().next();
  if (first.done !== true) map.delete(first.value);
}
