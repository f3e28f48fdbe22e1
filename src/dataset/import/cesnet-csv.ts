// A row of a CSV of the CESNET kind (CESNET-QUIC22, CESNET-TLS22) -> a flow. PPI is "[[times between packets, ms], [directions, 1 is
// client to server], [sizes, transport payload]]", maybe with TCP push flags as a fourth list; the other columns by their names.

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

const NS_A_MS = 1e6;
const SNI_COLUMNS = ['QUIC_SNI', 'TLS_SNI'] as const;
const COUNTS = ['PACKETS', 'PACKETS_REV', 'BYTES', 'BYTES_REV'] as const;

/** Where each column stands. */
export type CesnetColumns = ReadonlyMap<string, number>;

/** @returns why the first line of a file names no columns that could be read */
export function cesnetColumns(header: string): CesnetColumns | string {
  const names = csvFields(header.replace(/^\ufeff/, ''));
  if (names === undefined) return 'the first line is no CSV';
  const columns = new Map(names.map((name, i) => [name.trim(), i]));
  if (!columns.has('PPI')) return 'no column PPI in the first line';
  if (!columns.has('APP') && !SNI_COLUMNS.some((name) => columns.has(name))) {
    return 'no column to label by in the first line: expected APP, QUIC_SNI or TLS_SNI';
  }
  return columns;
}

/** The fields of a line (RFC 4180, without line breaks in fields); undefined: a quote is not closed, or text follows one. */
export function csvFields(line: string): string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    let end: number;
    if (line[at] === '"') {
      const close = closingQuote(line, at + 1);
      if (close === undefined) return undefined;
      fields.push(line.slice(at + 1, close).replaceAll('""', '"'));
      end = close + 1;
      if (end < line.length && line[end] !== ',') return undefined;
    } else {
      const comma = line.indexOf(',', at);
      end = comma < 0 ? line.length : comma;
      fields.push(line.slice(at, end));
    }
    if (end >= line.length) return fields;
    at = end;
  }
}

/** Two quotes stand for one of the text. */
function closingQuote(line: string, from: number): number | undefined {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] !== '"') return at;
  }
  return undefined;
}

export function parseCesnetRow(line: string, columns: CesnetColumns): Parsed {
  const fields = csvFields(line);
  if (fields === undefined) return { fault: 'a quote is not closed' };
  if (fields.length !== columns.size) {
    return { fault: `${fields.length} fields, the first line has ${columns.size}` };
  }
  const text = (name: string): string | undefined => {
    const value = fields[columns.get(name) ?? -1]?.trim();
    return value === '' ? undefined : value;
  };
  const packets = parsePpi(text('PPI') ?? '');
  if (packets === undefined) {
    return { fault: 'PPI: expected [[ms],[1 or -1],[bytes]] of equal lengths' };
  }
  const serverName = SNI_COLUMNS.map(text).find((name) => name !== undefined);
  const app = text('APP') ?? serverName;
  if (app === undefined) return { fault: 'neither APP nor server name' };
  const whole = wholeOf(text, packets);
  if (whole === undefined) {
    return { fault: `${COUNTS.join(', ')}, DURATION: expected numbers` };
  }
  return { ...UNKNOWN, ...factsOf(text), ...packets, ...whole, app, serverName };
}

type Text = (name: string) => string | undefined;

/** What may be known beside packets and totals. */
function factsOf(text: Text): Partial<ImportedFlow> {
  const protocol = protocolOf(text);
  const [client, server] = [text('SRC_IP'), text('DST_IP')];
  const port = countOf(Number(text('DST_PORT') ?? Number.NaN));
  const start = text('TIME_FIRST');
  return {
    protocol,
    kind: protocol === 'udp' ? 'quic' : 'tls',
    // An address that was hashed away tells nothing.
    ipVersion: client?.includes(':') ? 6 : client?.includes('.') ? 4 : undefined,
    client,
    server,
    serverPort: port !== undefined && port <= 65_535 ? port : undefined,
    startUs: start === undefined ? undefined : timeUs(start),
  };
}

function protocolOf(text: Text): 'tcp' | 'udp' {
  const number = text('PROTOCOL');
  if (number === '17' || number?.toLowerCase() === 'udp') return 'udp';
  if (number === '6' || number?.toLowerCase() === 'tcp') return 'tcp';
  return text('QUIC_SNI') === undefined && text('QUIC_VERSION') === undefined
    ? 'tcp'
    : 'udp';
}

/** "2022-10-31T00-00-01.123456", as the set documents it, with colons, or with a space: UTC. */
function timeUs(text: string): number | undefined {
  const found =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d)[-:](\d\d)[-:](\d\d)(\.\d{1,9})?(?:Z|\+00:00)?$/.exec(
      text,
    );
  if (found === null) return undefined;
  const [, day, hour, minute, second, fraction = ''] = found;
  const seconds = Date.parse(`${day}T${hour}:${minute}:${second}Z`) / 1000;
  return Number.isNaN(seconds) ? undefined : epochUs(seconds + Number(`0${fraction}`));
}

type Packets = Pick<ImportedFlow, 'timesNs' | 'sizes'>;

function parsePpi(text: string): Packets | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length < 3) return undefined;
  const [gaps, directions, bytes] = value as unknown[];
  if (!Array.isArray(directions) || !Array.isArray(bytes)) return undefined;
  if (directions.length !== bytes.length) return undefined;
  const signed = bytes.map((size: unknown, i) => {
    const direction: unknown = directions[i];
    const known = direction === 1 || direction === -1;
    return known && typeof size === 'number' && size > 0 ? size * direction : Number.NaN;
  });
  const sizes = signedSizes(signed);
  const timesNs = sizes && timesOf(gaps, sizes.length, NS_A_MS);
  return timesNs === undefined || sizes === undefined ? undefined : { timesNs, sizes };
}

type Whole = Pick<
  ImportedFlow,
  'durationUs' | 'packetsUp' | 'packetsDown' | 'bytesUp' | 'bytesDown'
>;

/** Of the whole flow: a file without these columns says of the first packets what it says of the flow. */
function wholeOf(text: Text, { timesNs, sizes }: Packets): Whole | undefined {
  const number = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : Number(value);
  };
  const told = COUNTS.map(number);
  const seconds = number('DURATION');
  const [up, down, bytesUp, bytesDown] = told.map(countOf);
  const durationUs = durationOf(seconds);
  if (told.some((value, i) => value !== undefined && countOf(told[i]) === undefined)) {
    return undefined;
  }
  if (seconds !== undefined && durationUs === undefined) return undefined;
  const signs = [...sizes];
  const sum = (sign: 1 | -1, of: (size: number) => number): number =>
    signs.filter((size) => Math.sign(size) === sign).reduce((s, size) => s + of(size), 0);
  return {
    durationUs: durationUs ?? Math.round((timesNs.at(-1) ?? 0) / 1e3),
    packetsUp: up ?? sum(1, () => 1),
    packetsDown: down ?? sum(-1, () => 1),
    bytesUp: bytesUp ?? sum(1, Math.abs),
    bytesDown: bytesDown ?? sum(-1, Math.abs),
  };
}
