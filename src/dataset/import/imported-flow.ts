// What an importer makes of a flow of a public set: the one form between the formats and the rows of a data set.

/** As many packets as the set holds of the flow, counted and measured as the set does. */
export interface ImportedFlow {
  /** The set's own name of the application; `apps.ts` says what it stands for. */
  readonly app: string;
  /** The set's own name of what belongs together; undefined: it knows no sessions. */
  readonly session: string | undefined;
  /** undefined: the set does not say, `headers.ts` infers it. */
  readonly protocol: 'tcp' | 'udp' | undefined;
  readonly kind: 'tls' | 'quic' | undefined;
  readonly ipVersion: 4 | 6 | undefined;
  /** For label and pseudonym; goes no further. */
  readonly serverName: string | undefined;
  /** For pseudonyms; go no further. */
  readonly client: string | undefined;
  readonly server: string | undefined;
  readonly serverPort: number | undefined;
  /** Epoch; never a feature. */
  readonly startUs: number | undefined;
  /** Of the whole flow, as all that follows to `bytesDown`. */
  readonly durationUs: number;
  readonly packetsUp: number;
  readonly packetsDown: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Since the first packet; never negative. */
  readonly timesNs: Float64Array;
  /** As the set measures, 1 to 65,535; positive: client to server. */
  readonly sizes: Int32Array;
}

/** A flow, or why there is none: a few words that follow a file's name and line. */
export type Parsed = ImportedFlow | { readonly fault: string };

export const SIZE_MAX = 65_535;
/** Epochs beyond 2100 are no times of packets. */
const EPOCH_US_MAX = 4_102_444_800_000_000;
/** A year: longer gaps and flows are faults of the file. */
export const SPAN_US_MAX = 31_536_000_000_000;

export function isFault(parsed: Parsed): parsed is { readonly fault: string } {
  return 'fault' in parsed;
}

/** What a flow is where its format is silent. */
export const UNKNOWN = {
  session: undefined,
  protocol: undefined,
  kind: undefined,
  ipVersion: undefined,
  serverName: undefined,
  client: undefined,
  server: undefined,
  serverPort: undefined,
  startUs: undefined,
} as const;

/** Sizes with their direction as sign; undefined: not a list of such numbers. */
export function signedSizes(value: unknown): Int32Array | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const fits = value.every(
    (size) => Number.isInteger(size) && size !== 0 && Math.abs(size) <= SIZE_MAX,
  );
  return fits ? Int32Array.from(value as number[]) : undefined;
}

/**
 * Inter-arrival times -> times since the first packet; where clocks leapt back behind it, 0, as in a flow record.
 *
 * @param unitNs of the numbers
 * @returns undefined: not a list of `length` numbers
 */
export function timesOf(
  gaps: unknown,
  length: number,
  unitNs: number,
): Float64Array | undefined {
  if (!Array.isArray(gaps) || gaps.length !== length) return undefined;
  const times = new Float64Array(length);
  let at = 0;
  for (let i = 0; i < length; i++) {
    const gap: unknown = gaps[i];
    if (typeof gap !== 'number' || !(Math.abs(gap) * unitNs <= SPAN_US_MAX * 1e3)) {
      return undefined;
    }
    // What the first one says is no gap between two packets.
    if (i > 0) at += gap * unitNs;
    times[i] = Math.max(0, Math.round(at));
  }
  return times;
}

/** A count that a set tells; undefined: it is none. */
export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : undefined;
}

/** Seconds since the epoch -> µs; undefined: no time of a packet. */
export function epochUs(seconds: number): number | undefined {
  const micros = Math.round(seconds * 1e6);
  return micros > 0 && micros <= EPOCH_US_MAX ? micros : undefined;
}

/** Seconds that a flow took -> µs; undefined: no such time. */
export function durationOf(seconds: unknown): number | undefined {
  if (typeof seconds !== 'number' || !(seconds >= 0)) return undefined;
  const micros = Math.round(seconds * 1e6);
  return micros <= SPAN_US_MAX ? micros : undefined;
}

/** Packets and bytes each way of a flow that the set holds whole. */
export function totalsOf(
  sizes: ArrayLike<number>,
): Pick<ImportedFlow, 'packetsUp' | 'packetsDown' | 'bytesUp' | 'bytesDown'> {
  let [packetsUp, packetsDown, bytesUp, bytesDown] = [0, 0, 0, 0];
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i] ?? 0;
    if (size > 0) {
      packetsUp++;
      bytesUp += size;
    } else {
      packetsDown++;
      bytesDown -= size;
    }
  }
  return { packetsUp, packetsDown, bytesUp, bytesDown };
}
