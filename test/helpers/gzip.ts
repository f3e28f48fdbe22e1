// What a Parquet reader needs for gzip.

import { gunzipSync } from 'node:zlib';
import type { Compressors } from 'hyparquet';

export const compressors: Compressors = {
  GZIP: (input) => new Uint8Array(gunzipSync(input)),
};
