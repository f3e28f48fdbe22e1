// Values one by one -> count, sum, mean, deviation and extremes, in one pass (Welford). NaN where there is no value.

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
