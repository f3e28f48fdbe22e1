// Lines and files of public sets, good and hostile.

import test from 'ava';
import fc from 'fast-check';
import {
  cesnetColumns,
  csvFields,
  parseCesnetRow,
} from '../../../src/dataset/import/cesnet-csv.ts';
import { fgnetFile, parseFgnet } from '../../../src/dataset/import/fgnet-json.ts';
import { isFault, type Parsed } from '../../../src/dataset/import/imported-flow.ts';
import { parseSeriesLine } from '../../../src/dataset/import/series-jsonl.ts';
import { TextFlow } from '../../../src/dataset/import/ucdavis-txt.ts';

function faultOf(parsed: Parsed | undefined): string {
  return parsed !== undefined && isFault(parsed) ? parsed.fault : 'a flow';
}

const SERIES = {
  app: 'YouTube',
  session: 'a',
  packetsUp: 2,
  packetsDown: 1,
  bytesUp: 90,
  bytesDown: 1378,
  durationS: 0.5,
  startS: 1516220325.884,
  size: [64, -1378, 26],
  iatUs: [0, 20, 30],
};

test('a line of a series is a flow: times add up, signs are directions', (t) => {
  const flow = parseSeriesLine(JSON.stringify({ ...SERIES, protocol: 'quic' }));
  if (isFault(flow)) return t.fail(flow.fault);
  t.deepEqual([...flow.sizes], [64, -1378, 26]);
  t.deepEqual([...flow.timesNs], [0, 20_000, 50_000]);
  t.is(flow.startUs, 1_516_220_325_884_000);
  t.is(flow.durationUs, 500_000);
  t.is(flow.protocol, 'udp');
  t.is(flow.kind, 'quic');
});

test('a clock that leaps back behind the first packet gives time 0, as in a record', (t) => {
  const flow = parseSeriesLine(JSON.stringify({ ...SERIES, iatUs: [0, -50, 70] }));
  if (isFault(flow)) return t.fail(flow.fault);
  t.deepEqual([...flow.timesNs], [0, 0, 20_000]);
});

const seriesFault = test.macro({
  title: (_, what: string) => `a series line with ${what} is a fault`,
  exec(t, _what: string, own: Record<string, unknown>, expected: RegExp) {
    t.regex(faultOf(parseSeriesLine(JSON.stringify({ ...SERIES, ...own }))), expected);
  },
});
test(seriesFault, 'no app', { app: undefined }, /no app/);
test(seriesFault, 'a size of 0', { size: [64, 0, 26] }, /size/);
test(seriesFault, 'a size beyond 16 bits', { size: [64, 65_536, 26] }, /size/);
test(seriesFault, 'half a byte', { size: [64, 1.5, 26] }, /size/);
test(seriesFault, 'no packets', { size: [], iatUs: [] }, /size/);
test(seriesFault, 'a time too few', { iatUs: [0, 1] }, /iatUs/);
test(seriesFault, 'a time that is text', { iatUs: [0, '1', 2] }, /iatUs/);
test(seriesFault, 'a gap of years', { iatUs: [0, 1e15, 2] }, /iatUs/);
test(seriesFault, 'a negative count', { bytesUp: -1 }, /counts/);
test(seriesFault, 'fewer packets than sizes', { packetsUp: 1 }, /fewer/);
test(seriesFault, 'no duration', { durationS: null }, /durationS/);

function textFlow(lines: readonly string[], most = 1_024): Parsed | string {
  const flow = new TextFlow(most);
  for (const line of lines) {
    const fault = flow.add(line);
    if (fault !== undefined) return fault;
  }
  return flow.finish('youtube', 'youtube-1.txt');
}

test('of a UC Davis file the epoch is the start and nothing else', (t) => {
  const early = textFlow(['1527853149.5\t0\t301\t1', '1527853150.5\t3.40939e-05\t74\t0']);
  // The same packets a year later, the second one's epoch out of step.
  const late = textFlow(['1559389149.5\t0\t301\t1', '1559390000.5\t3.40939e-05\t74\t0']);
  if (typeof early === 'string' || typeof late === 'string') return t.fail();
  if (isFault(early) || isFault(late)) return t.fail();
  t.is(early.startUs, 1_527_853_149_500_000);
  t.deepEqual({ ...early, startUs: 0 }, { ...late, startUs: 0 });
  t.deepEqual([...early.timesNs], [0, 34_094]);
  t.deepEqual([...early.sizes], [301, -74]);
  t.is(early.app, 'youtube');
});

test('of a long UC Davis file the first packets are kept, all are counted', (t) => {
  const lines = Array.from({ length: 9 }, (_, i) => `1527853149.5\t${i}\t100\t1`);
  const flow = textFlow(lines, 4);
  if (typeof flow === 'string' || isFault(flow)) return t.fail();
  t.is(flow.sizes.length, 4);
  t.is(flow.packetsUp, 9);
  t.is(flow.bytesUp, 900);
  t.is(flow.durationUs, 8_000_000);
});

const textFault = test.macro({
  title: (_, line: string) => `${JSON.stringify(line)} is no packet`,
  exec(t, line: string, expected: RegExp) {
    t.regex(String(textFlow(['1527853149.5\t0\t301\t1', line])), expected);
  },
});
test(textFault, '1527853149.5 1 301 1', /tabs/);
test(textFault, '1527853149.5\t1\t301', /direction/);
test(textFault, '1527853149.5\t1\t301\t1\t9', /tabs/);
test(textFault, '1527853149.5\t-1\t301\t1', /tabs/);
test(textFault, '1527853149.5\t1\t0\t1', /bytes/);
test(textFault, '1527853149.5\t1\t1e9\t1', /bytes/);
test(textFault, '1527853149.5\t1\t301\t2', /direction/);
test(textFault, '1527853149.5\t1e300\t301\t1', /time/);

const FGNET = {
  packet_length: [172, -1448],
  payload: [],
  arrive_time_delta: [0, 0.5],
  start_timestamp: 1592638899.5,
  end_timestamp: 1592638901.5,
  src_port: 46033,
};
const FGNET_PATH = 'D1/air.ITVMobilePlayer/8.5.0/1592638897_clear.pcap.json';

test('a path of fgnet names app and session as the series files do', (t) => {
  t.deepEqual(fgnetFile(FGNET_PATH), {
    app: 'air.ITVMobilePlayer',
    session: '8.5.0/1592638897',
  });
});

test('a file of fgnet is its flows, a bad one among them is one fault', (t) => {
  const text = JSON.stringify([FGNET, { ...FGNET, packet_length: [1] }, 7]);
  const [flow, wrong, none] = parseFgnet(text, fgnetFile(FGNET_PATH));
  if (flow === undefined || isFault(flow)) return t.fail();
  t.deepEqual([...flow.timesNs], [0, 500_000_000]);
  t.is(flow.durationUs, 2_000_000);
  t.is(flow.bytesDown, 1_448);
  t.is(flow.serverPort, undefined);
  t.regex(faultOf(wrong), /arrive_time_delta/);
  t.regex(faultOf(none), /not a flow/);
  t.is(faultOf(parseFgnet('{}', fgnetFile(FGNET_PATH))[0]), 'not a list of flows');
  t.is(faultOf(parseFgnet('[', fgnetFile(FGNET_PATH))[0]), 'not JSON');
});

const CSV = 'SRC_IP,DST_IP,PROTOCOL,QUIC_SNI,TIME_FIRST,PACKETS,PACKETS_REV,PPI,APP';

function csvRow(fields: string): Parsed {
  const columns = cesnetColumns(CSV);
  return typeof columns === 'string'
    ? { fault: columns }
    : parseCesnetRow(fields, columns);
}

test('a row of CESNET is a flow; its addresses tell the version of IP', (t) => {
  const row =
    '2001:db8::1,2001:db8::2,17,a.example,2022-10-31T23-59-59.250000,9,8,"[[5, 12, 3],[1,-1,1],[1250, 40, 1]]",one';
  const flow = csvRow(row);
  if (isFault(flow)) return t.fail(flow.fault);
  t.is(flow.app, 'one');
  t.is(flow.serverName, 'a.example');
  t.is(flow.ipVersion, 6);
  t.is(flow.protocol, 'udp');
  t.is(flow.startUs, Date.parse('2022-10-31T23:59:59.250Z') * 1000);
  t.is(flow.packetsUp, 9);
  t.deepEqual([...flow.sizes], [1250, -40, 1]);
  t.deepEqual([...flow.timesNs], [0, 12_000_000, 15_000_000]);
  t.is(flow.durationUs, 15_000);
});

const csvFault = test.macro({
  title: (_, row: string) => `${row} is no row`,
  exec(t, row: string, expected: RegExp) {
    t.regex(faultOf(csvRow(row)), expected);
  },
});
test(csvFault, 'a,b', /2 fields/);
test(csvFault, '"a,b', /quote/);
test(csvFault, ',,17,,,1,1,"[[0],[1],[9]]",', /neither/);
test(csvFault, ',,17,,,1,1,"[[0],[2],[9]]",x', /PPI/);
test(csvFault, ',,17,,,1,1,"[[0],[1],[9,9]]",x', /PPI/);
test(csvFault, ',,17,,,1,1,nothing,x', /PPI/);
test(csvFault, ',,17,,,many,1,"[[0],[1],[9]]",x', /PACKETS/);

test('a file without the columns that are needed says which', (t) => {
  t.regex(String(cesnetColumns('A,B')), /no column PPI/);
  t.regex(String(cesnetColumns('PPI,B')), /APP, QUIC_SNI or TLS_SNI/);
});

test('fields of CSV come back as they were, whatever is in them', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string().map((text) => text.replaceAll(/[\r\n]/g, '')),
        {
          minLength: 1,
        },
      ),
      (fields) => {
        const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        t.deepEqual(csvFields(line), fields);
      },
    ),
  );
});

/** Text of any bytes, and JSON of any shape: what a damaged or hostile file may hold. */
const anyLine = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .record({
      app: fc.anything(),
      session: fc.anything(),
      size: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.double(), fc.integer()))),
      iatUs: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.double(), fc.integer()))),
      durationS: fc.anything(),
      startS: fc.anything(),
      packetsUp: fc.anything(),
      packetsDown: fc.anything(),
      bytesUp: fc.anything(),
      bytesDown: fc.anything(),
      protocol: fc.anything(),
    })
    .map((value) => {
      try {
        return JSON.stringify(value) ?? '';
      } catch {
        return '{';
      }
    }),
);

/** What every consumer relies on. */
function sane(parsed: Parsed): boolean {
  if (isFault(parsed)) return parsed.fault !== '';
  const { sizes, timesNs, startUs, durationUs, packetsUp, packetsDown } = parsed;
  return (
    sizes.length > 0 &&
    sizes.length === timesNs.length &&
    sizes.every((size) => size !== 0 && Math.abs(size) <= 65_535) &&
    timesNs.every((time) => time >= 0 && Number.isSafeInteger(time)) &&
    (startUs === undefined || Number.isSafeInteger(startUs)) &&
    [durationUs, packetsUp, packetsDown].every(Number.isSafeInteger)
  );
}

test('no line of any bytes makes a parser throw; a flow that comes out is sane', (t) => {
  const columns = cesnetColumns(CSV);
  if (typeof columns === 'string') return t.fail(columns);
  fc.assert(
    fc.property(anyLine, (line) => {
      t.true(sane(parseSeriesLine(line)), line);
      t.true(parseFgnet(line, fgnetFile(FGNET_PATH)).every(sane), line);
      t.true(sane(parseCesnetRow(line, columns)), line);
      t.notThrows(() => cesnetColumns(line));
      const text = textFlow([line]);
      t.true(typeof text === 'string' ? text !== '' : sane(text), line);
    }),
    { numRuns: 2_000 },
  );
});
