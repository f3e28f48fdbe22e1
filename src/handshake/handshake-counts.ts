// Handshakes by what they were: how much of the traffic is understood, and which versions of QUIC are not.

import type { Handshake } from './handshake.ts';
import { quicVersionName } from './quic-versions.ts';

/** A flow's version is what its sender likes: no more names than these are kept. */
const NAMES_MAX = 64;
const OTHERS = 'others';

export class HandshakeCounts {
  readonly #counts = new Map<string, number>();

  add({ kind, state, quic }: Handshake): void {
    const of = quic === undefined ? '' : ` ${quicVersionName(quic.version)}`;
    const name = kind === undefined ? 'none' : `${kind}${of} ${state}`;
    const kept = this.#counts.has(name) || this.#counts.size < NAMES_MAX ? name : OTHERS;
    this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + 1);
  }

  /** Flows by kind, version of QUIC and state: {"tls full": 12, "quic v1 partial": 1, "quic 0x1a2b3c4d none": 2, "none": 5}. */
  byName(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
