// Every random choice of the lab comes from here: one seed, one stream, forks by name.

/** A seeded stream of draws (sfc32). Two streams of one seed are equal; a fork depends on seed and name alone. */
export class Draw {
  readonly seed: number;
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = Uint32Array.of(this.seed, this.seed ^ 0x9e3779b9, 0x243f6a88, 1);
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** A stream of its own, so that what one activity draws does not move another's draws. */
  fork(name: string): Draw {
    let hash = this.seed ^ 0x811c9dc5;
    for (const character of name) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    }
    return new Draw(hash);
  }

  uint32(): number {
    const s = this.#state;
    const [a = 0, b = 0, c = 0, counter = 0] = s;
    const sum = (a + b + counter) >>> 0;
    s[3] = counter + 1;
    s[0] = b ^ (b >>> 9);
    s[1] = c + (c << 3);
    s[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.uint32() / 0x1_0000_0000);
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return Math.floor(this.uniform(low, high + 1));
  }

  chance(probability: number): boolean {
    return this.uniform(0, 1) < probability;
  }

  /** Log-normal with this median; `sigma` is the standard deviation of the logarithm. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(0, 1)));
    const normal = radius * Math.cos(2 * Math.PI * this.uniform(0, 1));
    return median * Math.exp(sigma * normal);
  }

  /** A log-normal size in whole bytes, held within [least, most]. */
  bytes(median: number, sigma: number, [least, most]: readonly [number, number]): number {
    return Math.round(Math.min(most, Math.max(least, this.logNormal(median, sigma))));
  }

  /** One of them, each as often as its weight is of all; undefined of none. */
  weighted<T>(items: readonly T[], weight: (item: T) => number): T | undefined {
    let left = this.uniform(
      0,
      items.reduce((sum, item) => sum + weight(item), 0),
    );
    for (const item of items) {
      left -= weight(item);
      if (left < 0) return item;
    }
    return items.at(-1);
  }

  /** @throws RangeError on an empty list. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[this.whole(0, list.length - 1)];
    if (chosen === undefined) throw new RangeError('cannot pick from an empty list');
    return chosen;
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((item) => ({ item, key: this.uint32() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }

  /** Lower-case letters and digits, the first one a letter. */
  token(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
    let text = '';
    for (let i = 0; i < length; i++) text += letters[this.whole(0, i === 0 ? 25 : 35)];
    return text;
  }
}

export interface DeckHistory<T> {
  /** Uses before this deck was made. */
  readonly used?: (item: T) => number;
  /** Uses by others, now: of what this deck has used equally, the least used there is dealt. */
  readonly elsewhere?: (item: T) => number;
}

function least<T>(items: readonly T[], count: (item: T) => number): T[] {
  const fewest = Math.min(...items.map(count));
  return items.filter((item) => count(item) === fewest);
}

/**
 * Deals the item that has been used least, and which of those by lot. Each class has decks of its own: over a data set
 * all classes meet the same hosts, profiles and ports about equally often.
 */
export class Deck<T> {
  readonly #uses: Map<T, number>;
  readonly #elsewhere: (item: T) => number;
  readonly #draw: Draw;

  constructor(items: readonly T[], draw: Draw, history: DeckHistory<T> = {}) {
    this.#uses = new Map(items.map((item) => [item, history.used?.(item) ?? 0]));
    this.#elsewhere = history.elsewhere ?? (() => 0);
    this.#draw = draw;
  }

  /**
   * Deals one of those that fit.
   *
   * @throws RangeError when none does.
   */
  deal(fits: (item: T) => boolean = () => true): T {
    const fitting = [...this.#uses].filter(([item]) => fits(item));
    const own = least(fitting, ([, uses]) => uses);
    const [item] = this.#draw.pick(least(own, ([other]) => this.#elsewhere(other)));
    this.use(item);
    return item;
  }

  /** Counts a use beyond that of having been dealt. */
  use(item: T): void {
    this.#uses.set(item, (this.#uses.get(item) ?? 0) + 1);
  }
}
