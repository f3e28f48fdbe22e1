// What needs no learning: the most frequent class, and the class that a server's name stood for in training. The second is what
// encrypted names (ECH) take away, and the ceiling of what names alone tell. Axes: R rows known, B rows asked, K classes.

/** Shares of the classes among the known rows. -> [K] */
function classShares(labels: Int32Array, classes: number): Float32Array {
  const shares = new Float32Array(classes);
  for (const label of labels) shares[label] = (shares[label] ?? 0) + 1;
  return shares.map((count) => count / Math.max(labels.length, 1));
}

/** The classes' shares, for every row asked: its likeliest is the majority class. -> [B, K] */
export function majority(
  labels: Int32Array,
  asked: number,
  classes: number,
): Float32Array {
  const shares = classShares(labels, classes);
  const answers = new Float32Array(asked * classes);
  for (let b = 0; b < asked; b++) answers.set(shares, b * classes);
  return answers;
}

/** Where no key stands, the row is as good as unknown. */
export type Key = string | null | undefined;

/**
 * The classes that rows with the same key had in training; the majority where the key is new or missing.
 *
 * @param keys [R] server names, or their pseudonyms
 * @param asked [B]
 * @returns [B, K]
 */
export function lookUp(
  keys: readonly Key[],
  labels: Int32Array,
  asked: readonly Key[],
  classes: number,
): Float32Array {
  const labelsOf = new Map<string, number[]>();
  for (const [r, key] of keys.entries()) {
    if (key === null || key === undefined) continue;
    const known = labelsOf.get(key);
    if (known === undefined) labelsOf.set(key, [labels[r] ?? 0]);
    else known.push(labels[r] ?? 0);
  }
  const sharesOf = new Map(
    Array.from(labelsOf, ([key, own]) => [
      key,
      classShares(Int32Array.from(own), classes),
    ]),
  );
  const rest = classShares(labels, classes);
  const answers = new Float32Array(asked.length * classes);
  for (const [b, key] of asked.entries()) {
    answers.set(sharesOf.get(key ?? '') ?? rest, b * classes);
  }
  return answers;
}
