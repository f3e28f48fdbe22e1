// Values one by one -> count, sum, mean, deviation and extremes, in one pass. NaN where there is no value.

/**
 * Of lengths, 0 to 65,535 bytes, 1,024 at most: sums of squares and n times them stay below 2^53, so every number is exact and
 * a mean is one division, which is more than Welford's method would give and cheaper.
 */
export class LengthSummary {
  count = 0;
  sum = 0;
  #squares = 0;
  #min = 65_536;
  #max = -1;

  add(bytes: number): void {
    this.count++;
    this.sum += bytes;
    this.#squares += bytes * bytes;
    if (bytes < this.#min) this.#min = bytes;
    if (bytes > this.#max) this.#max = bytes;
  }

  reset(): void {
    this.count = this.sum = this.#squares = 0;
    this.#min = 65_536;
    this.#max = -1;
  }

  /** Makes this what two are together. */
  join(a: LengthSummary, b: LengthSummary): void {
    this.count = a.count + b.count;
    this.sum = a.sum + b.sum;
    this.#squares = a.#squares + b.#squares;
    this.#min = Math.min(a.#min, b.#min);
    this.#max = Math.max(a.#max, b.#max);
  }

  get mean(): number {
    return this.sum / this.count;
  }

  /** Of a sample: over n - 1; NaN below two values. */
  get variance(): number {
    const { count, sum } = this;
    if (count < 2) return Number.NaN;
    return (count * this.#squares - sum * sum) / (count * (count - 1));
  }

  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  get min(): number {
    return this.count === 0 ? Number.NaN : this.#min;
  }

  get max(): number {
    return this.count === 0 ? Number.NaN : this.#max;
  }
}

/** Of any numbers, by Welford's method. */
export class Summary {
  count = 0;
  sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #mean = 0;
  #m2 = 0;

  add(value: number): void {
    this.count++;
    this.sum += value;
    const delta = value - this.#mean;
    this.#mean += delta / this.count;
    this.#m2 += delta * (value - this.#mean);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    this.#mean = 0;
    this.#m2 = 0;
  }

  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  /** Of a sample: over n - 1; NaN below two values. */
  get variance(): number {
    return this.count < 2 ? Number.NaN : this.#m2 / (this.count - 1);
  }

  get deviation(): number {
    return Math.sqrt(this.variance);
  }

  get min(): number {
    return this.count === 0 ? Number.NaN : this.#min;
  }

  get max(): number {
    return this.count === 0 ? Number.NaN : this.#max;
  }
}
