// What a size means, and how one meaning becomes another.

import test from 'ava';
import fc from 'fast-check';
import {
  checkDefinition,
  convert,
  DEFINITION_NAMES,
  DEFINITIONS,
  type DefinitionName,
  type Meaning,
  nearest,
} from '../../../src/dataset/import/definition.ts';
import { SIZE_MEANINGS } from '../../../src/dataset/import/headers.ts';
import { type ImportedFlow, UNKNOWN } from '../../../src/dataset/import/imported-flow.ts';
import { readSets } from '../../../src/dataset/import/sets.ts';
import type { Conversion } from '../../../src/dataset/pooling.ts';

const ALL = { name: 'all', kinds: 'all', repeats: true } as const;
const FRAMES: Meaning = { ...ALL, size: 'frame' };
const LENGTHS: Meaning = { ...ALL, size: 'ip' };
const PAYLOADS: Meaning = {
  name: 'payloads',
  size: 'payload',
  kinds: 'payload',
  repeats: false,
};

function flowOf(sizes: readonly number[], own: Partial<ImportedFlow> = {}): ImportedFlow {
  return {
    ...UNKNOWN,
    app: 'x',
    durationUs: 0,
    packetsUp: 0,
    packetsDown: 0,
    bytesUp: 0,
    bytesDown: 0,
    timesNs: Float64Array.from(sizes, (_, i) => 100 * i),
    sizes: Int32Array.from(sizes),
    ...own,
  };
}

interface Case {
  readonly what: string;
  readonly sizes: readonly number[];
  readonly own?: Partial<ImportedFlow>;
  readonly meaning: Meaning;
  readonly as: DefinitionName;
  readonly lengths: readonly number[];
  readonly conversion: Conversion;
  readonly protocol: 'tcp' | 'udp';
}

const table = test.macro({
  title: (_, { what }: Case) => what,
  exec(t, { sizes, own, meaning, as, lengths, conversion, protocol }: Case) {
    const converted = convert(flowOf(sizes, own), meaning, as);
    if (converted === undefined) return t.fail();
    const { ipLengths, payloadLengths } = converted;
    const by = DEFINITIONS[as].length === 'ip' ? ipLengths : payloadLengths;
    t.deepEqual([...(by ?? [])], lengths);
    t.is(converted.conversion, conversion);
    t.is(converted.protocol, protocol);
  },
});

const QUIC6 = [1412, -1412, -80, 98];
const QUIC4 = [1392, -1392, -67, 80];
const TCP6 = [301, -74, -1294, 74];
const TCP4 = [281, -92, 54, -1484];
const UDP = { protocol: 'udp', ipVersion: 4 } as const;

test(table, {
  what: 'a frame of QUIC is an IP packet and 14 bytes, exactly, whatever the version of IP',
  sizes: QUIC6,
  meaning: FRAMES,
  as: 'ip',
  lengths: [1398, 1398, 66, 84],
  conversion: 'exact',
  protocol: 'udp',
});
test(table, {
  what: 'QUIC whose frames are too long for IPv4 has headers of IPv6, as an estimate',
  sizes: QUIC6,
  meaning: FRAMES,
  as: 'payload',
  lengths: [1350, 1350, 18, 36],
  conversion: 'estimated',
  protocol: 'udp',
});
test(table, {
  what: 'QUIC with a frame that is too short for IPv6 has headers of IPv4',
  sizes: QUIC4,
  meaning: FRAMES,
  as: 'payload',
  lengths: [1350, 1350, 25, 38],
  conversion: 'estimated',
  protocol: 'udp',
});
test(table, {
  what: 'frames of 74 bytes as the shortest are bare acknowledgements of TCP over IPv6',
  sizes: TCP6,
  meaning: FRAMES,
  as: 'payload',
  lengths: [227, 1220],
  conversion: 'estimated',
  protocol: 'tcp',
});
test(table, {
  what: 'frames of 54 bytes are bare acknowledgements of TCP over IPv4',
  sizes: TCP4,
  meaning: FRAMES,
  as: 'ip',
  lengths: [267, 78, 40, 1470],
  conversion: 'exact',
  protocol: 'tcp',
});
test(table, {
  what: 'a frame of the least length may have been padded: its flow is an estimate',
  sizes: [...TCP4, -60],
  meaning: FRAMES,
  as: 'ip',
  lengths: [267, 78, 40, 1470, 46],
  conversion: 'estimated',
  protocol: 'tcp',
});
test(table, {
  what: 'UDP payload of IP packets is exact where the version is known',
  sizes: [1378, -1378, -61],
  own: UDP,
  meaning: LENGTHS,
  as: 'payload',
  lengths: [1350, 1350, 33],
  conversion: 'exact',
  protocol: 'udp',
});
test(table, {
  what: 'and so are IP packets of UDP payload',
  sizes: [1350, -40],
  own: { protocol: 'udp', ipVersion: 6 },
  meaning: { ...PAYLOADS, protocol: 'udp' },
  as: 'ip',
  lengths: [1398, 88],
  conversion: 'exact',
  protocol: 'udp',
});
test(table, {
  what: 'IP packets of TCP payload are an estimate: 1,448 bytes fill one of 1,500',
  sizes: [517, -1448],
  own: { protocol: 'tcp' },
  meaning: PAYLOADS,
  as: 'ip-payload',
  lengths: [569, 1500],
  conversion: 'estimated',
  protocol: 'tcp',
});
test(table, {
  what: 'TCP packets without payload go where only payload counts, as an estimate',
  sizes: [60, -60, 52, 569, -1500, 52],
  own: { protocol: 'tcp', ipVersion: 4 },
  meaning: LENGTHS,
  as: 'ip-payload',
  lengths: [60, 60, 569, 1500],
  conversion: 'estimated',
  protocol: 'tcp',
});
test(table, {
  what: 'what a set means already is not touched',
  sizes: [517, -1448],
  own: { protocol: 'tcp' },
  meaning: PAYLOADS,
  as: 'payload',
  lengths: [517, 1448],
  conversion: 'none',
  protocol: 'tcp',
});

test('times start at the first packet that counts', (t) => {
  const converted = convert(flowOf([74, ...TCP6]), FRAMES, 'payload');
  t.deepEqual([...(converted?.timesNs ?? [])], [0, 200]);
  t.deepEqual([...(converted?.down ?? [])], [0, 1]);
});

test('a flow of bare acknowledgements has no packet with payload', (t) => {
  t.is(convert(flowOf([54, -54]), FRAMES, 'payload'), undefined);
});

test('a set that left out packets cannot be had as every packet', (t) => {
  const fault = t.throws(() => checkDefinition(PAYLOADS, 'ip'), { code: 'ERR_IMPORT' });
  t.regex(fault?.message ?? '', /payloads left out packets.*--as payload/);
  t.notThrows(() => checkDefinition(PAYLOADS, 'ip-payload'));
  t.notThrows(() => checkDefinition({ ...PAYLOADS, protocol: 'udp' }, 'ip'));
  for (const name of DEFINITION_NAMES) t.notThrows(() => checkDefinition(FRAMES, name));
});

test('every known set can be had in the definition that is nearest to it', async (t) => {
  for (const set of await readSets()) {
    t.notThrows(() => checkDefinition(set, nearest(set)), set.name);
  }
});

test('a conversion keeps order and directions, and lengths within 16 bits', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.integer({ min: -65_535, max: 65_535 }).filter((size) => size !== 0),
        { minLength: 1, maxLength: 50 },
      ),
      fc.constantFrom(...SIZE_MEANINGS),
      fc.constantFrom(...DEFINITION_NAMES),
      fc.constantFrom('tcp', 'udp', undefined),
      fc.constantFrom(4, 6, undefined),
      (sizes, size, as, protocol, ipVersion) => {
        const flow = flowOf(sizes, { protocol, ipVersion });
        const converted = convert(flow, { ...ALL, size }, as);
        if (converted === undefined) return;
        const { timesNs, down, ipLengths, payloadLengths } = converted;
        t.true(timesNs.every((time, i) => time >= (timesNs[i - 1] ?? 0)));
        const kept = DEFINITIONS[as].kinds === 'all' ? sizes.length : timesNs.length;
        t.is(timesNs.length, kept);
        t.is(down.length, kept);
        for (const lengths of [ipLengths, payloadLengths]) {
          t.true(lengths === undefined || lengths.length === kept);
        }
        if (DEFINITIONS[as].kinds === 'payload') {
          t.true(payloadLengths?.every((length) => length > 0));
        }
      },
    ),
  );
});
