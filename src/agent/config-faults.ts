// What is wrong with a configuration -> one line a fault: where it stands, what was found, what was expected.

import type { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { factsOf, keysOf } from './config-key.ts';
import { configSchema } from './config-schema.ts';

/** Keys and list positions, from the top. */
export type KeyPath = readonly PropertyKey[];

export interface Fault {
  /** File and line, or the flag; the line for the order, 0 where there is none. */
  readonly place: string;
  readonly line: number;
  readonly text: string;
}

/** Where what stands at a path was written. */
export type PlaceOf = (path: KeyPath) => Pick<Fault, 'place' | 'line'>;

/** What no person reads to its end. */
const FAULTS_MAX = 100;
const SHOWN_MAX = 60;
/** Longer keys are nobody's misspelling of ours, and cost time. */
const KEY_MAX = 40;

const TOP: Readonly<Record<string, z.ZodType>> = configSchema.shape;

/** One error of all faults, in the order of lines. */
export function configError(faults: readonly Fault[], cause?: unknown): ConfigError {
  const sorted = [...faults].sort((a, b) => a.line - b.line);
  const lines = sorted.slice(0, FAULTS_MAX).map(({ place, text }) => `${place}: ${text}`);
  if (sorted.length > FAULTS_MAX) {
    lines.push(`and ${sorted.length - FAULTS_MAX} more faults`);
  }
  return new ConfigError('ERR_CONFIG', lines.join('\n'), { cause });
}

/** The key that a path leads into, and its schema: a key at the top or in a section. */
function keyAt(path: KeyPath): { name: string; schema: z.ZodType } | undefined {
  const [first = '', second = ''] = path.map(String);
  const schema = own(TOP, first);
  const inner = schema === undefined ? undefined : own(keysOf(schema) ?? {}, second);
  if (inner !== undefined) return { name: `${first}.${second}`, schema: inner };
  return schema === undefined ? undefined : { name: first, schema };
}

/** Faults of the schema; `faulty` gets the names of the keys whose values cannot be used. */
export function issueFaults(
  issues: readonly z.core.$ZodIssue[],
  tree: unknown,
  placeOf: PlaceOf,
): { faults: Fault[]; faulty: Set<string> } {
  const faults: Fault[] = [];
  const faulty = new Set<string>();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const name of issue.keys) {
        const text = unknownKey(issue.path.map(String), name);
        faults.push({ ...placeOf([...issue.path, name]), text });
        faulty.add([...issue.path, name].join('.'));
      }
      continue;
    }
    const key = keyAt(issue.path);
    if (key === undefined) continue;
    // A list has an issue for each of its elements: its first one tells.
    if (faulty.has(key.name)) continue;
    faulty.add(key.name);
    const { expected } = factsOf(key.schema);
    const found = shown(key.name, valueAt(tree, key.name.split('.')));
    faults.push({
      ...placeOf(issue.path),
      text: `${key.name} is ${found}, expected ${expected}`,
    });
  }
  return { faults, faulty };
}

function own<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null
        ? own(value as Record<string, unknown>, step)
        : undefined,
    tree,
  );
}

/** A value as a message holds it; what may be a secret is not shown. */
function shown(name: string, value: unknown): string {
  if (name === 'report.token') return 'not shown';
  // The colon after token may be forgotten.
  if (name === 'report' && typeof value === 'string') return 'a text';
  // A user with a password may stand before it.
  if (name === 'report.controller' && holdsAt(value)) {
    return 'something with @, not shown';
  }
  return show(value);
}

/** Whether one of the texts that {@link show} writes out has an @; a map or a list within a list is not written out. */
function holdsAt(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.some((text) => typeof text === 'string' && text.includes('@'));
}

/** A value in one short line without control characters. */
export function show(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) {
    const few = value
      .slice(0, SHOWN_MAX)
      .map((each) => (Array.isArray(each) ? 'a list' : show(each)));
    return cut(`[${few.join(', ')}]`);
  }
  switch (typeof value) {
    case 'string':
      return cut(quote(value.slice(0, SHOWN_MAX + 1)));
    case 'object':
      return 'a map';
    case 'undefined':
      return 'missing';
    default:
      return String(value);
  }
}

function cut(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** JSON leaves some control characters as they are. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A key that there is not -> which one may be meant. */
function unknownKey(section: readonly string[], name: string): string {
  const [outer] = section;
  const schema = outer === undefined ? undefined : own(TOP, outer);
  const known = Object.keys((schema && keysOf(schema)) ?? TOP);
  const full = (key: string): string => [...section, key].join('.');
  const found = `unknown key ${cut(quote(full(name.slice(0, SHOWN_MAX + 1))))}`;
  const meant = nearest(name, known);
  if (meant !== undefined) return `${found}, did you mean "${full(meant)}"?`;
  for (const [home, other] of Object.entries(TOP)) {
    if (own(keysOf(other) ?? {}, name) !== undefined) {
      return `${found}, did you mean "${home}.${name}"?`;
    }
  }
  if (own(TOP, name) !== undefined) return `${found}, did you mean "${name}" at the top?`;
  return `${found}, expected one of ${known.join(', ')}`;
}

/** The likeliest of names, unless it is too far away. */
function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > KEY_MAX) return undefined;
  const distances = known.map(
    (other) => [editDistance(name.toLowerCase(), other.toLowerCase()), other] as const,
  );
  const [[distance, other] = [Number.POSITIVE_INFINITY, '']] = distances.sort(
    ([a], [b]) => a - b,
  );
  return distance <= Math.max(1, Math.floor(name.length / 3)) ? other : undefined;
}

/** Letters inserted, left out, exchanged, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        cell(i - 1, j) + 1,
        cell(i, j - 1) + 1,
        cell(i - 1, j - 1) + same,
        swapped ? cell(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return cell(a.length, b.length);
}
