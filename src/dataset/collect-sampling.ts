// How many flows of a class are kept of a day, so that frequent ones do not push rare ones off the disk. The share grows with the
// day: what is kept is of all its hours, not of the first.

const DAY_US = 86_400_000_000;
/** What may be kept at once, as part of the day's share: an hour's. */
const AT_ONCE = 1 / 24;

export class DailySampling {
  readonly #perClass: number;
  readonly #counts = new Map<string, number>();
  #day = -1;

  /** @param perClass flows of a class and a day; 0: all */
  constructor(perClass: number) {
    this.#perClass = perClass;
  }

  /**
   * Whether the next flow of the class is kept; then it is counted.
   *
   * @param us since the epoch; days are those of UTC
   */
  take(name: string, us: number): boolean {
    if (this.#perClass === 0) return true;
    const day = Math.floor(us / DAY_US);
    // Flows that end just behind midnight may come before others of the day that has gone: those count for the new one.
    if (day > this.#day) {
      this.#day = day;
      this.#counts.clear();
    }
    const elapsed = Math.min(1, Math.max(0, us - this.#day * DAY_US) / DAY_US);
    const allowed = this.#perClass * Math.min(1, elapsed + AT_ONCE);
    const count = this.#counts.get(name) ?? 0;
    if (count >= Math.max(1, allowed)) return false;
    this.#counts.set(name, count + 1);
    return true;
  }
}
