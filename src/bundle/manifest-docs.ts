// The manifest's schema -> JSON Schema, for `sluice bundle inspect --schema` and docs/manifest.schema.json.

import { z } from 'zod';
import { manifestSchema } from './manifest.ts';

/** JSON Schema, draft 2020-12, of manifest.json. What fields say about each other is checked by the program only. */
export function manifestSchemaJson(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(manifestSchema, { io: 'input' });
  return {
    $schema,
    title: 'Sluice bundle manifest',
    description: 'manifest.json of a model bundle.',
    ...rest,
  };
}
