// Where the bundle is that comes with the program.

import { fileURLToPath } from 'node:url';

export const SHIPPED_BUNDLE: string = fileURLToPath(
  new URL('../../../models/bundles/router-cnn', import.meta.url),
);
