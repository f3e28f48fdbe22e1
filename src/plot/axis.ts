// A range of values -> an axis with round numbers on it.

export interface Axis {
  readonly ticks: readonly number[];
  /** Where a value stands, from 0 to 1. */
  readonly share: (value: number) => number;
}

/** @param most ticks at most, about */
export function axisOf(least: number, greatest: number, most: number): Axis {
  const span = greatest > least ? greatest - least : Math.abs(least) || 1;
  const step = roundStep(span / most);
  const low = Math.floor(least / step) * step;
  const high = Math.max(Math.ceil(greatest / step) * step, low + step);
  const count = Math.round((high - low) / step);
  return {
    // Multiplied, not added up: 0.1 + 0.2 is no round number.
    ticks: Array.from({ length: count + 1 }, (_, i) => {
      const tick = Number(((Math.round(low / step) + i) * step).toPrecision(12));
      return tick === 0 ? 0 : tick;
    }),
    share: (value) => (value - low) / (high - low),
  };
}

/** The next of 1, 2, 5 times a power of ten. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = rough / power;
  return (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10) * power;
}
