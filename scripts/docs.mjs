// Writes the pages that are made from the code. Built before: dist is what they are made from.

import { writeFileSync } from 'node:fs';

const { configPage } = await import('../dist/src/agent/config-docs.js');
const { manifestSchemaJson } = await import('../dist/src/bundle/manifest-docs.js');
const { datasetPage } = await import('../dist/src/dataset/dataset-docs.js');
const { featuresPage } = await import('../dist/src/features/features-docs.js');

const write = (name, page) =>
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), page);
write('agent-config.md', configPage());
write('dataset.md', datasetPage());
write('features.md', featuresPage());
write('manifest.schema.json', `${JSON.stringify(manifestSchemaJson(), null, 2)}\n`);
