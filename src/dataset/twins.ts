// Finds twins (twin-flows.ts) among many flows, and says which must not judge.

import { KEYS, type TwinFlows } from './twin-flows.ts';

/** Flows that a key leads to, at most: one that more flows share says next to nothing, and the first of them are kept. */
const LISTED_MAX = 128;

/** Finds twins in given parts: a hash table, open addressing, of lists of flows, in typed arrays. */
class TwinIndex {
  /** Flows for which a key led to more flows than were kept, and nothing was found. */
  readonly cutShort = new Set<number>();
  readonly #flows: TwinFlows;
  /** 1 + the part that a flow was put into. */
  readonly #parts: Uint16Array;
  readonly #keys: Int32Array;
  /** By slot: 1 + the last entry, 0 for a free slot; entries are flow x KEYS + key. */
  readonly #heads: Int32Array;
  /** By slot: flows in its list, and one more where some were not kept. */
  readonly #counts: Uint8Array;
  /** By entry: 1 + the one before. */
  readonly #before: Int32Array;

  constructor(flows: TwinFlows) {
    this.#flows = flows;
    const entries = flows.count * KEYS;
    // At least a quarter is free, so that a search ends soon.
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, entries / 0.75)));
    this.#parts = new Uint16Array(flows.count);
    this.#keys = new Int32Array(slots);
    this.#heads = new Int32Array(slots);
    this.#counts = new Uint8Array(slots);
    this.#before = new Int32Array(entries);
  }

  /** @returns an equal flow that the part holds, which stands for this one too */
  put(flow: number, part: number): number | undefined {
    this.#parts[flow] = part + 1;
    for (let k = 0; k < KEYS; k++) {
      const key = this.#flows.key(flow, k, part);
      if (key === undefined) continue;
      const slot = this.#slotOf(key);
      const equal = k === 0 ? this.#equal(flow, slot) : undefined;
      if (equal !== undefined) return equal;
      const count = this.#counts[slot] ?? 0;
      this.#counts[slot] = Math.min(count, LISTED_MAX) + 1;
      if (count >= LISTED_MAX) continue;
      const entry = flow * KEYS + k;
      this.#keys[slot] = key;
      this.#before[entry] = this.#heads[slot] ?? 0;
      this.#heads[slot] = entry + 1;
    }
    return undefined;
  }

  /** A twin that was put into the part: one that bears the same label where there is one. */
  find(flow: number, part: number): number | undefined {
    const flows = this.#flows;
    let isCut = false;
    let other: number | undefined;
    for (let k = 0; k < KEYS; k++) {
      const key = flows.key(flow, k, part);
      if (key === undefined) continue;
      const slot = this.#slotOf(key);
      isCut ||= (this.#counts[slot] ?? 0) > LISTED_MAX;
      for (let at = this.#heads[slot] ?? 0; at !== 0; at = this.#before[at - 1] ?? 0) {
        const listed = flowOf(at);
        // Two keys may share a hash.
        if (listed === flow || this.#parts[listed] !== part + 1) continue;
        if (!flows.areTwins(flow, listed)) continue;
        if (flows.agree(flow, listed)) return listed;
        other ??= listed;
      }
    }
    if (isCut && other === undefined) this.cutShort.add(flow);
    return other;
  }

  #equal(flow: number, slot: number): number | undefined {
    for (let at = this.#heads[slot] ?? 0; at !== 0; at = this.#before[at - 1] ?? 0) {
      const listed = flowOf(at);
      const isSamePart = this.#parts[listed] === this.#parts[flow];
      if (isSamePart && this.#flows.areEqual(flow, listed)) return listed;
    }
    return undefined;
  }

  /** The key's slot, or the free one where it belongs. */
  #slotOf(key: number): number {
    const mask = this.#heads.length - 1;
    let slot = key & mask;
    while (this.#heads[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }
}

/** @param at 1 + an entry */
function flowOf(at: number): number {
  return Math.floor((at - 1) / KEYS);
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
    const twin = findIn({ index, flows }, flow, against.get(part) ?? []);
    if (twin !== undefined) found.push({ flow, ...twin });
  }
  return { found, cutShort: index.cutShort.size };
}

function findIn(
  { index, flows }: { readonly index: TwinIndex; readonly flows: TwinFlows },
  flow: number,
  parts: readonly number[],
): { readonly twin: number; readonly agrees: boolean } | undefined {
  let other: number | undefined;
  for (const part of parts) {
    const twin = index.find(flow, part);
    if (twin === undefined) continue;
    if (flows.agree(flow, twin)) return { twin, agrees: true };
    other ??= twin;
  }
  return other === undefined ? undefined : { twin: other, agrees: false };
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
    const equal = equals.get(flow);
    const twin =
      equal === undefined
        ? findIn({ index, flows }, flow, [0])
        : { twin: equal, agrees: true };
    if (twin !== undefined) found.push({ flow, ...twin });
  }
  return { found, cutShort: index.cutShort.size };
}
