// Rows -> a Parquet file, in row groups: memory is bounded by a group. What all our Parquet files share: GZIP, row groups of
// 1,000, tensors as byte arrays (as lists of numbers they would take ten times the time and memory of writer and reader), and
// another name until the file is whole.

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { InputError } from '../errors.ts';

export const ROWS_A_GROUP = 1_000;

/** Bytes are a tensor; with `bytes` given all values are that long. */
export type ColumnType = 'int32' | 'int64' | 'double' | 'string' | 'boolean' | 'bytes';

export interface ParquetColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Of type 'bytes': the length of each value. */
  readonly bytes?: number;
  readonly nullable: boolean;
}

/** Of 'int64' a number: ours stay below 2^53. */
export type Cell = string | number | boolean | null | Uint8Array;

export interface ParquetFileOptions {
  readonly columns: readonly ParquetColumn[];
  /** Key and value of the file's metadata. */
  readonly metadata: readonly (readonly [key: string, value: string])[];
  /** The file's name until it is whole; NAME.partial unless given. */
  readonly partial?: string;
}

export class ParquetFile {
  rows = 0;
  readonly #name: string;
  readonly #partial: string;
  readonly #columns: readonly ParquetColumn[];
  readonly #writer: ParquetWriter;
  readonly #sink: ReturnType<typeof fileWriter>;
  readonly #metadata: { key: string; value: string }[];
  #group: (Cell | bigint)[][];

  /** @throws InputError ERR_OUTPUT when the file cannot be written */
  constructor(name: string, options: ParquetFileOptions) {
    this.#name = name;
    this.#partial = options.partial ?? `${name}.partial`;
    this.#columns = options.columns;
    this.#metadata = options.metadata.map(([key, value]) => ({ key, value }));
    this.#group = options.columns.map(() => []);
    try {
      this.#sink = fileWriter(this.#partial);
      this.#writer = new ParquetWriter({
        writer: this.#sink,
        schema: [
          { name: 'root', num_children: options.columns.length },
          ...options.columns.map(schemaElement),
        ],
        codec: 'GZIP',
        compressors: { GZIP: (bytes) => gzipSync(bytes) },
        kvMetadata: this.#metadata,
        createdBy: 'sluice',
      });
    } catch (cause) {
      throw cannotWrite(name, cause);
    }
  }

  /** Of all groups written, be they on disk yet or not; the file's end is not among them. */
  get bytes(): number {
    return this.#sink.offset;
  }

  /** @param cells in the order of the columns; bytes are kept until their group is written */
  add(cells: readonly Cell[]): void {
    this.#columns.forEach(({ type }, i) => {
      const cell = cells[i] ?? null;
      const whole = type === 'int64' && typeof cell === 'number';
      this.#group[i]?.push(whole ? BigInt(cell) : cell);
    });
    this.rows++;
    if (this.#group[0]?.length === ROWS_A_GROUP) this.#writeGroup();
  }

  /** Replaces what is told under a key: metadata stand at the end of the file. */
  tell(key: string, value: string): void {
    const told = this.#metadata.find((entry) => entry.key === key);
    if (told === undefined) this.#metadata.push({ key, value });
    else told.value = value;
  }

  /**
   * The file is whole, on disk, and has its name from here on.
   *
   * @throws InputError ERR_OUTPUT
   */
  finish(): void {
    this.#writeGroup();
    try {
      this.#writer.finish();
      const file = openSync(this.#partial, 'r');
      fsyncSync(file);
      closeSync(file);
      renameSync(this.#partial, this.#name);
    } catch (cause) {
      throw cannotWrite(this.#name, cause);
    }
  }

  /** Leaves nothing behind. */
  discard(): void {
    rmSync(this.#partial, { force: true });
  }

  #writeGroup(): void {
    const group = this.#group;
    if (group[0]?.length === 0) return;
    this.#group = group.map(() => []);
    try {
      this.#writer.write({
        columnData: this.#columns.map(({ name, type }, i) => ({
          name,
          data: group[i] ?? [],
          // Of numbers and tensors an index of bounds would only cost; words repeat, tensors do not.
          statistics: false,
          ...(type === 'bytes' && { encoding: 'PLAIN' as const }),
        })),
        rowGroupSize: ROWS_A_GROUP,
      });
    } catch (cause) {
      throw cannotWrite(this.#name, cause);
    }
  }
}

function schemaElement({ name, type, bytes, nullable }: ParquetColumn): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  const element = { name, repetition_type } as const;
  switch (type) {
    case 'string':
      return { ...element, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
    case 'bytes':
      return bytes === undefined
        ? { ...element, type: 'BYTE_ARRAY' }
        : { ...element, type: 'FIXED_LEN_BYTE_ARRAY', type_length: bytes };
    case 'int32':
      return { ...element, type: 'INT32' };
    case 'int64':
      return { ...element, type: 'INT64' };
    case 'double':
      return { ...element, type: 'DOUBLE' };
    case 'boolean':
      return { ...element, type: 'BOOLEAN' };
  }
}

export function cannotWrite(name: string, cause: unknown): InputError {
  return new InputError(
    'ERR_OUTPUT',
    `${name} cannot be written: ${(cause as Error).message}`,
    { cause },
  );
}

/** Bytes of numbers as they lie in memory. Every machine that the addon runs on is little endian (native/src/flow-record.hpp). */
export function littleEndian(
  numbers: Float32Array | Float64Array | Uint16Array,
): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
