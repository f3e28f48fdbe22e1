// What a shard tells of itself in its metadata: enough to know whether it has to be built again, and for a manifest to be
// made of shards alone.

import { z } from 'zod';
import { type DatasetOptions, optionsSchema } from './dataset-manifest.ts';
import { DATASET_VERSION } from './dataset-schema.ts';

const schema = z.object({
  datasetVersion: z.literal(DATASET_VERSION),
  recipe: z.string(),
  digest: z.string(),
  options: optionsSchema,
  source: z.string(),
  counters: z.record(z.string(), z.int().nonnegative()),
});

export interface ShardDescription {
  /** Of all that the shards of a data set share. */
  readonly recipe: string;
  /** Of the recipe and of the capture's own labels. */
  readonly digest: string;
  readonly options: DatasetOptions;
  readonly source: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** undefined: the text is no description, or of another version. */
export function parseDescription(text: string | undefined): ShardDescription | undefined {
  try {
    const { success, data } = schema.safeParse(JSON.parse(text ?? ''));
    return success ? data : undefined;
  } catch {
    return undefined;
  }
}
