// Where the bundles are that come with the program.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Who can write here can change the program itself: what lies here is trusted as it is. */
export const SHIPPED_BUNDLES: string = fileURLToPath(
  new URL('../../../models/bundles', import.meta.url),
);

export const SHIPPED_BUNDLE: string = join(SHIPPED_BUNDLES, 'router-cnn');
