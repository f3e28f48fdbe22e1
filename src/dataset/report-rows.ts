// The rows of a data set, one after the other -> all that a report is made of: counts, distributions, columns of the audit, sizes.
// A row leaves some 400 bytes behind.

import {
  AUDIT_COLUMNS,
  AUDIT_FIELDS,
  type AuditRow,
  firstPacketsOf,
} from './audit-fields.ts';
import { Ceiling } from './ceiling.ts';
import type { DatasetRow } from './dataset-schema.ts';
import { Distribution, type Quantiles } from './distribution.ts';
import { SizeStore, sizesOf } from './flow-sizes.ts';
import type { AuditTable } from './shortcut-audit.ts';
import { INFRASTRUCTURE, isForTraining } from './split-groups.ts';
import { PLAN_COLUMNS, type PlanRow } from './split-plan.ts';
import { addTwin } from './split-twins.ts';
import { TwinFlows } from './twin-flows.ts';

export const REPORT_COLUMNS = [
  ...AUDIT_COLUMNS,
  'application',
  'labelSource',
  'durationUs',
  'packetsUp',
  'packetsDown',
  'bytesUp',
  'bytesDown',
  'timesNs',
] as const;
export type ReportRow = Pick<DatasetRow, (typeof REPORT_COLUMNS)[number]>;

/** Rows by value of a field, then by class. Values are whatever somebody sent: no keys of plain objects. */
export type Crossed = Map<string, Map<string, number>>;

/** What is counted by class. */
const CROSSED_FIELDS = ['source', 'protocol', 'kind', 'alpn', 'labelSource'] as const;

/** Packets of the whole flow: from which number on a row counts in the band. */
const PACKET_BANDS = [1, 3, 5, 10, 30, 100, 1_000] as const;

export const MEASURES = [
  { name: 'packets', words: 'packets of a flow, both ways', unit: 'packets' },
  { name: 'bytesUp', words: 'bytes of a flow, client to server', unit: 'bytes' },
  { name: 'bytesDown', words: 'bytes of a flow, server to client', unit: 'bytes' },
  { name: 'duration', words: 'duration of a flow', unit: 's' },
  { name: 'sizeUp', words: 'size of a packet, client to server', unit: 'bytes' },
  { name: 'sizeDown', words: 'size of a packet, server to client', unit: 'bytes' },
  { name: 'iat', words: 'time between two packets', unit: 'ms' },
] as const;
type Measure = (typeof MEASURES)[number]['name'];

/** Packets whose sizes and times are looked at. */
const LOOKED = 100;
const SIZES_KEPT = 30;

export class ReportRows {
  all = 0;
  unlabelled = 0;
  infrastructure = 0;
  /** Of labelled rows: field, value, class. */
  readonly crossed = new Map<string, Crossed>(
    CROSSED_FIELDS.map((field) => [field, new Map()]),
  );
  readonly bands: Crossed = new Map();
  readonly ceiling = new Ceiling();
  /** By row of the table. */
  readonly twins = new TwinFlows();
  readonly sizes = new SizeStore(SIZES_KEPT);
  /** By row of the table: what splits and checks read of it. */
  readonly rows: PlanRow[] = [];
  readonly #distributions = new Map<Measure, Map<string, Distribution>>();
  readonly #values: number[][] = AUDIT_FIELDS.map(() => []);
  readonly #numbers: Map<string, number>[] = AUDIT_FIELDS.map(() => new Map());
  readonly #strings = new Map<string, string>();

  add(row: ReportRow): void {
    this.all++;
    const { service } = row;
    if (service === null) this.unlabelled++;
    if (service === INFRASTRUCTURE) this.infrastructure++;
    if (!isForTraining(row) || service === null) return;
    for (const field of CROSSED_FIELDS) {
      const crossed = this.crossed.get(field);
      if (crossed !== undefined) cross(crossed, row[field] ?? '(none)', service);
    }
    const packets = row.packetsUp + row.packetsDown;
    cross(this.bands, bandOf(packets), service);
    const sizes = sizesOf(row, LOOKED);
    this.ceiling.add(sizes, service);
    this.sizes.add(sizes.subarray(0, SIZES_KEPT));
    addTwin(this.twins, row);
    this.#measure(row, sizes, packets);
    this.#note(row);
    this.rows.push(this.#kept(row));
  }

  distributions(): Record<Measure, Record<string, Quantiles>> {
    const entries = MEASURES.map(({ name }) => {
      const byClass = [...(this.#distributions.get(name) ?? [])].sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      return [
        name,
        Object.fromEntries(byClass.map(([service, d]) => [service, d.quantiles()])),
      ];
    });
    return Object.fromEntries(entries);
  }

  /** @param groupOf what the interval of a row goes by */
  table(groupOf: (row: PlanRow) => string): AuditTable {
    const classes = [...new Set(this.rows.map(({ service }) => service ?? ''))].sort();
    const groups = new Map<string, number>();
    return {
      classes,
      services: Int32Array.from(this.rows, ({ service }) =>
        classes.indexOf(service ?? ''),
      ),
      groups: Int32Array.from(this.rows, (row) => numberOf(groups, groupOf(row))),
      fields: AUDIT_FIELDS.map(({ name, words, isNumber }, i) => ({
        name,
        words,
        isNumber: isNumber === true,
        values: Float64Array.from(this.#values[i] ?? []),
      })),
    };
  }

  #measure(row: ReportRow, sizes: Int32Array, packets: number): void {
    const note = (measure: Measure, value: number): void => {
      const byClass = this.#distributions.get(measure) ?? new Map<string, Distribution>();
      this.#distributions.set(measure, byClass);
      const name = row.service ?? '';
      const distribution = byClass.get(name) ?? new Distribution();
      byClass.set(name, distribution);
      distribution.add(value);
    };
    note('packets', packets);
    note('bytesUp', row.bytesUp);
    note('bytesDown', row.bytesDown);
    note('duration', row.durationUs / 1e6);
    for (const size of sizes) note(size < 0 ? 'sizeDown' : 'sizeUp', Math.abs(size));
    const { buffer, byteOffset, byteLength } = row.timesNs;
    const times = new DataView(buffer, byteOffset, byteLength);
    let last = 0;
    for (let at = 0; at < byteLength && at < LOOKED * 8; at += 8) {
      const time = times.getFloat64(at, true);
      if (at > 0) note('iat', (time - last) / 1e6);
      last = time;
    }
  }

  /** Categories become numbers, in the order in which they were met. */
  #note(row: AuditRow): void {
    const first = firstPacketsOf(row);
    for (const [i, field] of AUDIT_FIELDS.entries()) {
      const value = field.of(row, first);
      this.#values[i]?.push(
        value === null
          ? Number.NaN
          : typeof value === 'number'
            ? value
            : numberOf(this.#numbers[i] ?? new Map(), value),
      );
    }
  }

  /** Each row was read with strings of its own: equal ones are kept once. */
  #kept(row: ReportRow): PlanRow {
    const entries = PLAN_COLUMNS.map((name) => {
      const value = row[name];
      if (typeof value !== 'string') return [name, value];
      const known = this.#strings.get(value);
      if (known === undefined) this.#strings.set(value, value);
      return [name, known ?? value];
    });
    return Object.fromEntries(entries);
  }
}

export function cross(crossed: Crossed, value: string, service: string): void {
  const counts = crossed.get(value) ?? new Map<string, number>();
  crossed.set(value, counts);
  counts.set(service, (counts.get(service) ?? 0) + 1);
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size;
  numbers.set(name, number);
  return number;
}

/** "10-29", "1000-" */
function bandOf(packets: number): string {
  const i = PACKET_BANDS.findLastIndex((from) => packets >= from);
  const next = PACKET_BANDS[i + 1];
  return `${PACKET_BANDS[Math.max(0, i)]}-${next === undefined ? '' : next - 1}`;
}
