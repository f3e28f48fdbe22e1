// Rows of a data set, made up: every field that splits and audits read, with packets where wanted.

import type { AuditRow } from '../../src/dataset/audit-fields.ts';
import type { PlanRow } from '../../src/dataset/split-plan.ts';

/** A row that knows as little as can be. */
const EMPTY = {
  source: 'capture',
  capture: '0000000000000000',
  flow: 0,
  session: 's',
  client: 'c',
  host: 'h',
  service: 'web',
  application: null,
  protocol: 'tcp',
  scenario: null,
  seed: null,
  clientSoftware: null,
  serverSoftware: null,
  profile: null,
  startUs: null,
  serverPort: null,
  kind: null,
  handshakeState: 'none',
  version: null,
  alpn: null,
  ech: false,
  clientHelloBytes: null,
  serverHelloBytes: null,
  cipherSuites: null,
  chosenCipher: null,
  software: null,
  initialWindowUp: null,
  initialWindowDown: null,
} as const;

export function makeRow(facts: Partial<AuditRow & PlanRow>): AuditRow & PlanRow {
  return { ...EMPTY, ...packetColumns([]), ...facts };
}

/** Packet columns of signed sizes: payload lengths, with headers of 40 bytes on top. */
export function packetColumns(
  signed: readonly number[],
): Pick<AuditRow, 'seen' | 'ipLengths' | 'payloadLengths' | 'marks'> {
  const lengths = (headers: number): Uint8Array =>
    new Uint8Array(Uint16Array.from(signed, (size) => Math.abs(size) + headers).buffer);
  return {
    seen: signed.length,
    ipLengths: lengths(40),
    payloadLengths: lengths(0),
    marks: Uint8Array.from(signed, (size) => (size < 0 ? 1 : 0)),
  };
}
