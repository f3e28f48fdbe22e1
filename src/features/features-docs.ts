// The table of statistics and the names of switches -> docs/features.md.

import { FEATURE_VERSION, PAPER_PACKETS } from './features.ts';
import {
  EARLY_PACKETS,
  HANDSHAKE_BYTES,
  HANDSHAKE_MESSAGES,
  SERIES_STEPS_MAX,
} from './shapes.ts';
import { STATISTICS_TABLE } from './statistics-table.ts';

/** What CICFlowMeter also tells, and why it is no statistic here. */
const LEFT_OUT: readonly (readonly [cic: string, why: string])[] = [
  ['`Fwd Header Len`, its second column', 'a duplicate'],
  [
    '`Fwd Seg Size Avg`, `Bwd Seg Size Avg`, `Pkt Size Avg` as columns of their own',
    'the same numbers as the means of the payload: one column each here',
  ],
  [
    '`Flow ID`, `Src IP`, `Src Port`, `Dst IP`, `Dst Port`, `Protocol`, `Timestamp`',
    'they name the flow: a model would learn place and time of its training data',
  ],
];

/** Faults of the Java tool (BasicFlow.java and FlowGenerator.java, commit 1d35837) that are not copied. */
const FAULTS: readonly (readonly [cic: string, fault: string, here: string])[] = [
  [
    'Pkt Len Min, Max, Mean, Std, Var; Pkt Size Avg',
    "the first packet's payload is counted twice",
    'once',
  ],
  [
    'Fwd, Bwd PSH Flags; Fwd, Bwd URG Flags',
    "only the flow's first packet is looked at",
    'every packet',
  ],
  ['Fwd Act Data Pkts', 'the first packet is left out', 'every packet'],
  [
    'Init Bwd Win Byts',
    'each packet down overwrites it: the window of the last one',
    'of the first one',
  ],
  [
    'Down/Up Ratio',
    'a division of whole numbers (5/3 is 1); 0 without a packet up',
    'a fraction; +inf',
  ],
  [
    'Fwd Byts/b Avg, Fwd Pkts/b Avg, Fwd Blk Rate Avg',
    'addresses are compared by reference, so that every packet counts as one down: always 0',
    'of packets up',
  ],
  [
    'Bwd Byts/b Avg, Bwd Pkts/b Avg, Bwd Blk Rate Avg',
    'of both directions together, for the same reason; fractions cut off; one of the two writers of output puts the forward value in the place of the first',
    'of packets down; fractions',
  ],
  [
    'Subflow Fwd, Bwd Pkts; Subflow Fwd, Bwd Byts',
    'a bracket in the wrong place: every packet begins a subflow; fractions cut off',
    'gaps of over 1 s; fractions',
  ],
  [
    'Active Mean, Std, Max, Min',
    'the last active time is never added: the call is commented out',
    'added',
  ],
  [
    'Fwd, Bwd Pkts/s',
    '0 for a duration of 0, where Flow Pkts/s is infinite',
    '+inf both',
  ],
  [
    'minimum, maximum, mean, deviation of no packet',
    '0, as if an empty packet had come',
    'NaN',
  ],
  [
    'every one of them',
    "a flow ends at its first FIN, and the other side's last packets are another flow",
    'a flow ends when both sides have sent FIN',
  ],
];

/** Not a fault, but another thing under the same name. */
const DEPARTURES: readonly (readonly [cic: string, theirs: string, here: string])[] = [
  [
    'Fwd Header Len, Bwd Header Len, Fwd Seg Size Min',
    'the TCP or UDP header',
    'the IP header and its extensions too: what is not payload',
  ],
  ['Init Fwd Win Byts, Init Bwd Win Byts', '0 where there is none', 'NaN'],
];

const INTRODUCTION = `# Features: what a model sees of a flow

<!-- Made by \`npm run -s docs\` from src/features/features-docs.ts and src/features/statistics-table.ts: change it there. -->

Three inputs (paper 3.1): handshake bytes, a series of packets, statistics. Training and serving read them by the same code
(\`src/features/features.ts\`), in one pass over the flow's record, straight into the memory of the model's tensors. Feature
version ${FEATURE_VERSION}: a bundle of another version is refused.

\`\`\`sh
npm run -s sluice -- features --json capture.pcap                  # one JSON object a flow
npm run -s sluice -- features --parquet flows.parquet capture.pcap # one row a flow, for pandas, DuckDB, Spark
npm run -s sluice -- features --packets 10 capture.pcap            # as each flow was after ten packets
npm run -s sluice -- features --bundle DIR --json capture.pcap     # what that bundle's model gets
npm run -s sluice -- plot capture.pcap --flow 3 --out flow.svg     # a picture of one flow
\`\`\`

| input | tensor | holds |
| --- | --- | --- |
| \`handshakeBytes\` | uint8 [B, ${HANDSHAKE_MESSAGES}, ${HANDSHAKE_BYTES}] | up to ${HANDSHAKE_MESSAGES} hellos, occluded: the table at the head of \`src/handshake/occlusion.ts\` |
| \`series\` | float32 [B, T, 3] | a row a packet: inter-arrival time, size, direction (+1 up, -1 down); rows of zeros behind the last one |
| \`statistics\` | float32 [B, ${STATISTICS_TABLE.length}] | the table below, normalised |

In \`--json\`, \`handshakeBytes\` is base64, \`series\` a list of rows without those of padding, \`statistics\` an object of raw values: null
has no value (NaN), "Infinity" and "-Infinity" are what they say. With \`--bundle\` there is also \`normalisedStatistics\`. In Parquet,
tensors are byte arrays (\`series\` is T x 3 float32, little endian), each raw statistic is a column \`statistics_NAME\`, and the key
\`sluice.features\` of the file's metadata holds the switches.

## What counts as a packet
Declared in the manifest (\`features.counted\`), so that a model is served what it was trained on. It holds for series and
statistics alike.

| switch | flag | values, the paper's first | meaning |
| --- | --- | --- | --- |
| \`kinds\` | \`--count\` | \`all\` | every TCP and UDP packet |
| | | \`no-bare-acks\` | all but TCP packets that only acknowledge: no payload, none of SYN, FIN, RST |
| | | \`payload\` | packets with TCP or UDP payload alone |
| \`repeats\` | \`--no-repeats\` | true | packets sent again, or overtaken, count like others |
| | | false | a TCP packet that starts before the end of what its direction had sent does not count (SYN and FIN take a sequence number each; UDP packets always count) |
| \`length\` | \`--length\` | \`ip\` | a packet's size is its length from the IP header on, as on the wire |
| | | \`payload\` | it is that of its TCP or UDP payload |

Sizes are those of the wire: what an offload had joined is split (see [capture.md](capture.md)), Ethernet padding is no part of a
packet. A SYN sent again before any answer is counted in the flow's totals, and is one packet of the series.

Public series of payload packets, each once and in order, sized by payload (fgnet, Computer Networks 2022), are of the kind
\`{kinds: 'payload', repeats: false, length: 'payload'}\`; with a series of this rule, training on them and serving live flows read the same.
Statistics that need what such a series leaves out (headers, flags, windows) are no input for a model trained on it.

## Series
T is the manifest's \`features.seriesSteps\`, 1 to ${SERIES_STEPS_MAX}. The first T packets that count make rows, out of the flow's first T packets;
where packets are left out, out of its first 3 T (${SERIES_STEPS_MAX} at most). The first row's time is 0, each other's the time since the row before;
it is negative where a capture's stamps run back.

| \`features.iat\`, \`--iat\` | t in seconds becomes |
| --- | --- |
| \`sign-log-ms\` (paper) | sign(t)·ln(1000·\\|t\\| + 1) |
| \`sign-log-us\` | sign(t)·ln(1000000·\\|t\\| + 1) |
| \`seconds\` | t |

| \`features.size\`, \`--size\` | n bytes become |
| --- | --- |
| \`per-128\` (paper) | n / 128 |
| \`log\` | ln(1 + n) |
| \`signed-bytes\` | n up, -n down: a whole number, exact in float32, for models that embed it |

## Statistics
Of the very packets of the series, so that a decision after N packets sees in service what it saw in training. Up is client to
server. "Payload" is that of TCP or UDP, "size" the length that the rule above names. Deviation and variance are those of a sample
(n - 1), by Welford's method. CICFlowMeter's names are those of its CSV files.
`;

const NORMALISING = `
As a model reads them: \`z-score\` is (x - mean) / deviation (paper); \`sign-log-z-score\` the same of sign(x)·ln(1 + \\|x\\|), since long tails
(bytes, times) would take an int8 input all its resolution. Means and deviations are fitted on training flows and stand in the
manifest; values are cut at \`clip\` deviations; NaN becomes -1, +inf +2, -inf -2 (paper 3.3), and a statistic that never varied in
training 0.
`;

const EARLY = `
## A flow after N packets
Training and evaluation look at each flow after ${EARLY_PACKETS.join(', ')} packets and when it is whole, as an agent does when it decides early. N counts
packets as they come, whether they count for the series or not. The cut takes the payload too: a flow cut at 3 packets has, as a
rule, no handshake yet. Nothing that came later is in it: features cut at N are those of a flow that ends there (a property test).
`;

const COST = `
## What it costs
\`npm run bench\` on 2 cores of an AMD EPYC, Node 20.20.2: all features of a flow, hellos already read, into a
model's memory. It grows by some 90 ns a packet.

| packets | 32 | 64 | 128 | 256 | 512 | 1,024 |
| --- | --- | --- | --- | --- | --- | --- |
| µs a flow, the least | 14 | 16 | 22 | 33 | 53 | 96 |
| median | 17 | 20 | 28 | 38 | 59 | 104 |
`;

const CHECKED = `
## How it is checked
- \`npm test\`: property tests against a second implementation that keeps a list for every number; golden vectors compared bit for
  bit (\`test/fixtures/features.golden.json\`, made by \`npm run -s fixtures\`).
- With tshark and real captures present: every statistic of every flow from tshark's fields (\`test/corpus/tshark.test.ts\`),
  and which packets are behind.
- NFStream 6.6.0: \`scripts/compare-nfstream.py\`, its head says how to run it.

| what is compared | tolerance | why not 0 |
| --- | --- | --- |
| tshark: whole numbers | none | |
| tshark: means, deviations, rates | 1e-6 of the value | sums of doubles in another order |
| NFStream: counts, bytes, sizes, flags | none | |
| NFStream: means and deviations of sizes | 1e-6 of the value | sums of doubles in another order |
| NFStream: times | 1 ms; deviations 1.5 ms | NFStream's clock ticks in whole milliseconds: a difference of two stamps is off by less than 1 ms |

Last run, over 199 real captures: tshark 4.0.17 on 2,738 flows, ${STATISTICS_TABLE.length} of ${STATISTICS_TABLE.length} statistics agree, 77 of them to the last bit, the others within 2e-13 of
the value; 481 packets behind, the same as by tshark's sequence numbers. NFStream 6.6.0 on 2,720 flows, 63 of 63 statistics agree. Left out
of the first: flows on five-tuples that have several (444), with packets that an offload had joined (512), longer than the series
(3), or that begin with a SYN sent again before any answer (26).

What deviates from NFStream, and why:

| NFStream | here | why |
| --- | --- | --- |
| a deviation or time between packets of too few packets is 0 | NaN | a made-up number would be a number to a model |
| its clock never runs back: a packet stamped before its predecessor gets the predecessor's time | times are the capture's, and may be negative | the comparison puts captures into the order of time first |
| a flow goes on behind FIN and RST until it is idle | it ends | only five-tuples that are one flow to both are compared |
| who sends first is the source | the sender of the SYN is the client | flows whose two ways are told apart differently are compared turned around |
| packets that an offload had joined are one | split by MSS and MTU in the series | the comparison leaves flows with joined packets out |
`;

/** The whole page. */
export function featuresPage(): string {
  const rows = STATISTICS_TABLE.map((row) => {
    const { name, unit, formula } = row;
    const cic = 'cic' in row ? row.cic : '';
    const edge = 'edge' in row ? row.edge : '';
    return `| \`${name}\` | ${unit} | ${formula} | ${cic} | ${edge} |`;
  });
  const table = [
    '| name | unit | formula | CICFlowMeter | where it has no value |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
  const { kinds, repeats, length } = PAPER_PACKETS.counted;
  return [
    INTRODUCTION,
    `${table}\n`,
    'A bulk is four or more payload packets of one direction, none of the other between, each at most 1 s behind the one before. A gap of over\n1 s begins another subflow, a gap of over 5 s is idle time, and what lies between idle times is active time.\n',
    NORMALISING.trimStart(),
    `## CICFlowMeter\nAll that it tells and that can be known when a flow is labelled is in the table, by the paper's rule (\`${kinds}\`, repeats ${repeats}, \`${length}\`). Left out:\n`,
    pairs(['column', 'why'], LEFT_OUT),
    'Faults of it that are not copied:\n',
    pairs(['column', 'CICFlowMeter', 'here'], FAULTS),
    'Other things under the same name:\n',
    pairs(['column', 'CICFlowMeter', 'here'], DEPARTURES),
    EARLY.trimStart(),
    COST.trimStart(),
    CHECKED.trim(),
    '',
  ].join('\n');
}

function pairs(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
