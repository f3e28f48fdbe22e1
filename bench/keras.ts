// Where Keras is, the yardstick of training: `npm run setup:keras` puts it into the user's cache, never into the checkout.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The Python that has TensorFlow 2.15.1, or why there is none. */
export function kerasPython():
  | { readonly python: string }
  | { readonly missing: string } {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const python = join(cache, 'sluice', 'keras-2.15.1', 'bin', 'python');
  if (existsSync(python)) return { python };
  return {
    missing: 'Keras is not there: npm run setup:keras gets it (250 MB from PyPI)',
  };
}
