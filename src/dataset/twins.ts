// Finds twins (twin-flows.ts) among many flows, and says which must not judge.

import { KEYS, type TwinFlows } from './twin-flows.ts';

/** Flows with one key that are compared with a flow; beyond, the key says next to nothing. */
const COMPARED_MAX = 128;

/** Finds twins in given parts; open hashing in two typed arrays. */
class TwinIndex {
  /** Flows for which a key was too common to look at all that have it, and nothing was found. */
  readonly cutShort = new Set<number>();
  readonly #flows: TwinFlows;
  /** 1 + the part that a flow was put into. */
  readonly #parts: Uint16Array;
  /** By hash: 1 + the last entry; entries are flow x KEYS + key. */
  readonly #heads: Int32Array;
  /** By entry: 1 + the one before. */
  readonly #before: Int32Array;
  readonly #mask: number;

  constructor(flows: TwinFlows) {
    this.#flows = flows;
    const entries = flows.count * KEYS;
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, entries)));
    this.#mask = size - 1;
    this.#parts = new Uint16Array(flows.count);
    this.#heads = new Int32Array(size);
    this.#before = new Int32Array(entries);
  }

  /** @returns an equal flow that the part holds, which stands for this one too */
  put(flow: number, part: number): number | undefined {
    this.#parts[flow] = part + 1;
    for (let k = 0; k < KEYS; k++) {
      const key = this.#flows.key(flow, k, part);
      if (key === undefined) continue;
      const slot = key & this.#mask;
      const equal = k === 0 ? this.#equal(flow, slot, part) : undefined;
      if (equal !== undefined) return equal;
      const entry = flow * KEYS + k;
      this.#before[entry] = this.#heads[slot] ?? 0;
      this.#heads[slot] = entry + 1;
    }
    return undefined;
  }

  /** A twin that was put into the part; if wanted, one that bears the same label. */
  find(flow: number, part: number, sameLabel: boolean): number | undefined {
    const flows = this.#flows;
    let cutShort = false;
    for (let k = 0; k < KEYS; k++) {
      const key = this.#flows.key(flow, k, part);
      if (key === undefined) continue;
      let compared = 0;
      for (const other of this.#chain(key & this.#mask, part)) {
        if (++compared > COMPARED_MAX) {
          cutShort = true;
          break;
        }
        if (other === flow || (sameLabel && !flows.agree(flow, other))) continue;
        if (flows.areTwins(flow, other)) return other;
      }
    }
    if (cutShort) this.cutShort.add(flow);
    return undefined;
  }

  #equal(flow: number, slot: number, part: number): number | undefined {
    let compared = 0;
    for (const other of this.#chain(slot, part)) {
      if (this.#flows.areEqual(flow, other)) return other;
      if (++compared > COMPARED_MAX) return undefined;
    }
    return undefined;
  }

  /** Slots are shared by chance, also between parts. */
  *#chain(slot: number, part: number): Generator<number> {
    for (let at = this.#heads[slot] ?? 0; at !== 0; at = this.#before[at - 1] ?? 0) {
      const flow = Math.floor((at - 1) / KEYS);
      if (this.#parts[flow] === part + 1) yield flow;
    }
  }
}

interface FoundTwin {
  readonly flow: number;
  readonly twin: number;
  /** Whether the twin bears the same label; where one does and another does not, the one that does is told. */
  readonly agrees: boolean;
}

export interface Twins {
  readonly found: readonly FoundTwin[];
  /** Flows of which not all candidates were compared. */
  readonly cutShort: number;
}

/**
 * Flows with a twin where they must be new to the model.
 *
 * @param parts of each flow, -1 for none
 * @param against the parts in which a twin of a flow of that part counts; nothing for those that train
 */
export function twinsAcross(
  flows: TwinFlows,
  parts: Int32Array,
  against: ReadonlyMap<number, readonly number[]>,
): Twins {
  const index = new TwinIndex(flows);
  const looked = new Set([...against.values()].flat());
  for (const [flow, part] of parts.entries()) {
    if (looked.has(part)) index.put(flow, part);
  }
  const found: FoundTwin[] = [];
  for (const [flow, part] of parts.entries()) {
    const twin = findIn(index, flow, against.get(part) ?? []);
    if (twin !== undefined) found.push({ flow, twin, agrees: flows.agree(flow, twin) });
  }
  return { found, cutShort: index.cutShort.size };
}

function findIn(
  index: TwinIndex,
  flow: number,
  parts: readonly number[],
): number | undefined {
  for (const sameLabel of [true, false]) {
    for (const part of parts) {
      const twin = index.find(flow, part, sameLabel);
      if (twin !== undefined) return twin;
    }
  }
  return undefined;
}

/** Flows that have a twin anywhere among all of them, each with one. */
export function twinsWithin(flows: TwinFlows): Twins {
  const index = new TwinIndex(flows);
  const equals = new Map<number, number>();
  for (let flow = 0; flow < flows.count; flow++) {
    const equal = index.put(flow, 0);
    if (equal === undefined) continue;
    equals.set(flow, equal);
    equals.set(equal, flow);
  }
  const found: FoundTwin[] = [];
  for (let flow = 0; flow < flows.count; flow++) {
    const twin = equals.get(flow) ?? findIn(index, flow, [0]);
    if (twin !== undefined) found.push({ flow, twin, agrees: flows.agree(flow, twin) });
  }
  return { found, cutShort: index.cutShort.size };
}
