import { seededRandom } from '../../models/random.ts';

/** Numbers in [-1, 1), the same ones for the same seed. */
export function seededNumbers(seed: number, length: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
