// Random numbers that can be repeated: splits, samples, shuffles and all that training draws itself come from here.

export type Random = () => number;

/** Uniform in [0, 1), mulberry32: 32 bits of state are plenty for shuffles and samples. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 0..length-1 in random order (Fisher-Yates). */
export function shuffledIndices(length: number, random: Random): Int32Array {
  const indices = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [indices[i] ?? 0, indices[j] ?? 0];
    indices[i] = b;
    indices[j] = a;
  }
  return indices;
}
