// The formats that flows are imported from: which files, and how they are read.

import { basename, dirname } from 'node:path';
import { InputError } from '../../errors.ts';
import { cesnetColumns, parseCesnetRow } from './cesnet-csv.ts';
import { fgnetFile, parseFgnet } from './fgnet-json.ts';
import type { Parsed } from './imported-flow.ts';
import { chunksOf, readLines } from './read-lines.ts';
import { parseSeriesLine } from './series-jsonl.ts';
import { TextFlow } from './ucdavis-txt.ts';
import type { UnitRule } from './units.ts';

/** A flow, or a fault, and where it stands. */
interface Placed {
  /** "FILE:LINE". */
  readonly place: string;
  readonly parsed: Parsed;
}

export interface ImportFormat {
  readonly description: string;
  readonly rule: UnitRule;
  /** The set that a file is of as a rule; undefined: a person has to say. */
  readonly set: (file: string) => string | undefined;
  /**
   * The flows of a file. Bytes that make no sense are faults among them.
   *
   * @param most packets that are wanted of a flow
   * @throws InputError the file cannot be read, or is of another format altogether
   */
  readonly read: (file: string, most: number) => AsyncGenerator<Placed>;
}

const TOO_LONG = { fault: 'longer than a line may be' } as const;

export const IMPORT_FORMATS = {
  'ucdavis-txt': {
    description: 'text files of the UC Davis QUIC set, a folder a class',
    rule: { pattern: /\.txt$/, unit: 'folder', names: 1 },
    set: () => 'ucdavis-quic',
    read: readText,
  },
  'series-jsonl': {
    description: 'JSON lines of sizes and times, a flow a line; also gzip',
    rule: { pattern: /\.jsonl(\.gz)?$/, unit: 'file', names: 1 },
    set: (file) => basename(file).replace(/\.jsonl(\.gz)?$/, ''),
    read: readSeries,
  },
  'fgnet-json': {
    description: "fgnet's own layout, SET/APP/VERSION/TIMESTAMP_clear.pcap.json",
    rule: { pattern: /\.json(\.gz)?$/, unit: 'folder', names: 2 },
    set: (file) => {
      const name = basename(dirname(dirname(dirname(file)))).toLowerCase();
      return /^d\d$/.test(name) ? `fgnet-${name}` : 'fgnet-d1';
    },
    read: readFgnet,
  },
  'cesnet-csv': {
    description: 'CSV with a column PPI, as CESNET-QUIC22 and CESNET-TLS22; also gzip',
    rule: { pattern: /\.csv(\.gz)?$/, unit: 'file', names: 1 },
    set: () => undefined,
    read: readCesnet,
  },
} as const satisfies Readonly<Record<string, ImportFormat>>;
export type ImportFormatName = keyof typeof IMPORT_FORMATS;

/** A flow a file. */
async function* readText(file: string, most: number): AsyncGenerator<Placed> {
  const flow = new TextFlow(most);
  for await (const { number, text } of readLines(file)) {
    if (text === '') continue;
    const fault = text === undefined ? TOO_LONG.fault : flow.add(text);
    if (fault === undefined) continue;
    yield { place: `${file}:${number}`, parsed: { fault } };
    return;
  }
  const parsed = flow.finish(basename(dirname(file)), basename(file));
  yield { place: file, parsed };
}

async function* readSeries(file: string): AsyncGenerator<Placed> {
  for await (const { number, text } of readLines(file)) {
    if (text === '') continue;
    const parsed = text === undefined ? TOO_LONG : parseSeriesLine(text);
    yield { place: `${file}:${number}`, parsed };
  }
}

async function* readCesnet(file: string): AsyncGenerator<Placed> {
  let columns: ReturnType<typeof cesnetColumns> | undefined;
  for await (const { number, text } of readLines(file)) {
    if (text === '') continue;
    if (columns === undefined) {
      columns = text === undefined ? TOO_LONG.fault : cesnetColumns(text);
      if (typeof columns === 'string') {
        throw new InputError('ERR_IMPORT', `${file}:${number}: ${columns}`);
      }
      continue;
    }
    if (typeof columns === 'string') return;
    const parsed = text === undefined ? TOO_LONG : parseCesnetRow(text, columns);
    yield { place: `${file}:${number}`, parsed };
  }
}

/** Of the files of the set the largest has some megabytes. */
const JSON_BYTES_MAX = 64 * 1024 * 1024;

async function* readFgnet(file: string): AsyncGenerator<Placed> {
  const text = await wholeText(file);
  if (text === undefined) {
    yield { place: file, parsed: { fault: 'longer than a file of flows may be' } };
    return;
  }
  // JSON has no lines to speak of: the flow's number in the list stands for one.
  for (const [i, parsed] of parseFgnet(text, fgnetFile(file)).entries()) {
    yield { place: `${file}:flow ${i + 1}`, parsed };
  }
}

/** undefined: it is too long. */
async function wholeText(file: string): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of chunksOf(file)) {
    bytes += part.byteLength;
    if (bytes > JSON_BYTES_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
