// What one check has found: a JSON line of `sluice doctor`.

export type Status = 'ok' | 'warn' | 'fail';

/** Names are a contract. */
export interface Finding {
  readonly check: string;
  /** warn: it works, with less or at a risk. fail: it does not work before this is mended. */
  readonly status: Status;
  readonly found: string;
  readonly expected: string;
  /** What to do; null when nothing is to be done here. */
  readonly mend: string | null;
}

/** What a check looks at and what it wants to see there. */
export interface Check {
  readonly check: string;
  readonly expected: string;
}

export function ok({ check, expected }: Check, found: string): Finding {
  return { check, status: 'ok', found, expected, mend: null };
}

export function warn({ check, expected }: Check, found: string, mend: string): Finding {
  return { check, status: 'warn', found, expected, mend };
}

export function fail({ check, expected }: Check, found: string, mend: string): Finding {
  return { check, status: 'fail', found, expected, mend };
}

/** A check that another one, `first`, stands in the way of. */
export function notTried({ check, expected }: Check, first: string): Finding {
  return {
    check,
    status: 'warn',
    found: `not tried: mend ${first} first`,
    expected,
    mend: null,
  };
}

/** For people: 67108864 -> "64 MiB". */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20).toLocaleString('en-US')} MiB`;
}
