// What stands in files of `sluice collect`, as bytes and as rows.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { readShard } from '../../src/dataset/dataset-reader.ts';
import type { DatasetRow } from '../../src/dataset/dataset-schema.ts';

export function collectedFiles(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.parquet'));
  return names.sort().map((name) => join(directory, name));
}

export async function collectedRows(directory: string): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = [];
  for (const file of collectedFiles(directory)) {
    for await (const group of readShard(file)) rows.push(...group);
  }
  return rows;
}

/** A file's bytes and, behind them, those of every page that is packed in it. */
export async function unpackedBytes(path: string): Promise<Buffer> {
  const bytes = readFileSync(path);
  const parts = [bytes];
  const { buffer, byteOffset, byteLength } = bytes;
  await parquetReadObjects({
    file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    compressors: {
      GZIP: (packed) => {
        const page = gunzipSync(packed);
        parts.push(page);
        return page;
      },
    },
  });
  return Buffer.concat(parts);
}
