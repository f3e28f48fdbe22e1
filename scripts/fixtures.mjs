// Writes the fixtures that are made by the code. Built before: dist is what they are made by.

import { writeFileSync } from 'node:fs';

const { GOLDEN, goldenVectors } = await import('../dist/test/helpers/golden.js');
writeFileSync(GOLDEN, await goldenVectors());
