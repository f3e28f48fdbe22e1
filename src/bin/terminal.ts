// What every subcommand says and how: data to stdout, words to stderr, one line a fault.

import {
  BundleError,
  CaptureError,
  ConfigError,
  InputError,
  type SluiceError,
} from '../errors.ts';

export const EXIT_FAILED = 1;
export const EXIT_WRONG_INPUT = 2;
export const EXIT_INTERRUPTED = 130;

/** A line for people. */
export function say(text: string): void {
  process.stderr.write(`sluice: ${text}\n`);
}

/** Faults that the person at the keyboard can mend. */
export function isWrongInput(fault: unknown): fault is SluiceError {
  return (
    fault instanceof InputError ||
    fault instanceof BundleError ||
    fault instanceof CaptureError ||
    fault instanceof ConfigError
  );
}

/** A line of data; waits when the reader is slow, so that memory stays bounded. */
export async function emit(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process as usual. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort());
  }
  return controller.signal;
}

/** 1234567 -> "1,234,567". Not by toLocaleString, which loads its tables for a thirtieth of a second. */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes for people: "1.4 MB", powers of ten. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** One column of a table that is printed row by row. */
export interface Column {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
}

/** Cells padded to their columns; a longer cell pushes the rest, nothing is cut. */
export function row(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map(({ width, align }, i) => {
      const cell = cells[i] ?? '';
      return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('  ')
    .trimEnd();
}

export function heading(columns: readonly Column[]): string {
  return row(
    columns,
    columns.map((column) => column.title),
  );
}
