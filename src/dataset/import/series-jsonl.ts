// A line of a series file -> a flow. JSON lines: app, session, packets, packetsUp, packetsDown, bytesUp, bytesDown, durationS
// (whole flow), startS (epoch), size (of the first packets; + is client to server), iatUs (first is 0), sometimes protocol.

import {
  countOf,
  durationOf,
  epochUs,
  type ImportedFlow,
  type Parsed,
  signedSizes,
  timesOf,
  UNKNOWN,
} from './imported-flow.ts';

const NS_A_US = 1e3;
const WHOLE = ['packetsUp', 'packetsDown', 'bytesUp', 'bytesDown'] as const;
const KINDS: Readonly<Record<string, Partial<ImportedFlow>>> = {
  quic: { protocol: 'udp', kind: 'quic' },
  tls: { protocol: 'tcp', kind: 'tls' },
  tcp: { protocol: 'tcp' },
  udp: { protocol: 'udp' },
};

export function parseSeriesLine(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: 'not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: 'not a JSON object' };
  }
  return seriesFlow(value as Record<string, unknown>);
}

function seriesFlow(line: Record<string, unknown>): Parsed {
  const { app, session, size, iatUs, durationS, startS, protocol } = line;
  if (typeof app !== 'string' || app === '') return { fault: 'no app' };
  const sizes = signedSizes(size);
  if (sizes === undefined) {
    return { fault: 'size: expected whole numbers, -65535 to 65535 but 0' };
  }
  const timesNs = timesOf(iatUs, sizes.length, NS_A_US);
  if (timesNs === undefined) return { fault: 'iatUs: expected a number for each size' };
  const durationUs = durationOf(durationS);
  if (durationUs === undefined) return { fault: 'durationS: expected seconds' };
  const [packetsUp, packetsDown, bytesUp, bytesDown] = WHOLE.map((name) =>
    countOf(line[name]),
  );
  if (
    packetsUp === undefined ||
    packetsDown === undefined ||
    bytesUp === undefined ||
    bytesDown === undefined
  ) {
    return { fault: `${WHOLE.join(', ')}: expected counts` };
  }
  if (packetsUp + packetsDown < sizes.length) {
    return { fault: 'fewer packets in all than sizes' };
  }
  return {
    ...UNKNOWN,
    ...(typeof protocol === 'string' && Object.hasOwn(KINDS, protocol)
      ? KINDS[protocol]
      : undefined),
    app,
    session: typeof session === 'string' && session !== '' ? session : undefined,
    startUs: typeof startS === 'number' ? epochUs(startS) : undefined,
    durationUs,
    packetsUp,
    packetsDown,
    bytesUp,
    bytesDown,
    timesNs,
    sizes,
  };
}
