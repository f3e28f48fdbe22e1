// Writes the pages that are made from the code. Built before: dist is what they are made from.

import { writeFileSync } from 'node:fs';

const { configPage } = await import('../dist/src/agent/config-docs.js');
writeFileSync(new URL('../docs/agent-config.md', import.meta.url), configPage());
