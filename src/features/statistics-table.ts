// Every statistic of a flow, once: name, unit, formula, what CICFlowMeter calls it, what it is where the formula has no
// value. docs/features.md is made from this table; src/features/statistics.ts computes it.
//
// Up is client to server. "Packets" are those that count (packet-rule.ts) and stand in the series; a packet's size is the
// length that the rule names, its payload always that of TCP or UDP. Deviations and variances are of a sample (n - 1).

/** How far apart packets of one subflow, or of one bulk, may lie at most. */
export const SUBFLOW_GAP_US = 1_000_000;
/** Payload packets that make a bulk at least. */
export const BULK_PACKETS = 4;
/** A longer gap is idle time; CICFlowMeter's default. */
export const IDLE_GAP_US = 5_000_000;
/** A payload below it is small. */
export const SMALL_PAYLOAD_BYTES = 128;
/** The least MTU of IPv6: a packet this long was filled as far as the path allowed, on nearly any path. */
export const FULL_IP_BYTES = 1_280;

interface StatisticRow {
  readonly name: string;
  /** As in the name of the unit's symbol; empty for counts and ratios. */
  readonly unit: 'µs' | 'bytes' | 'bytes²' | 'bytes/s' | 'packets/s' | '';
  readonly formula: string;
  /** CICFlowMeter's name for it, in the paper's statistics branch too (paper 3.2); none: ours. */
  readonly cic?: string;
  /** Where the formula has no value, or an unexpected one. */
  readonly edge?: string;
}

const NONE_UP = 'NaN without a packet up';
const NONE_DOWN = 'NaN without a packet down';
const NONE = 'NaN without a packet';
const FEW_UP = 'NaN below two packets up';
const FEW_DOWN = 'NaN below two packets down';
const FEW = 'NaN below two packets';
const NO_TIME = '+inf for a duration of 0; NaN without a packet';
const NO_BULK = 'NaN without a bulk that way';
const NO_IDLE = 'NaN without a gap of over 5 s';
const NO_ACTIVE = 'NaN where no active time is longer than 0';

// biome-ignore format: one line a statistic
export const STATISTICS_TABLE = [
  { name: 'durationUs', unit: 'µs', formula: 'time of the last packet - of the first', cic: 'Flow Duration', edge: '0 for one packet' },
  // Counts and sums
  { name: 'packetsUp', unit: '', formula: 'packets up', cic: 'Tot Fwd Pkts' },
  { name: 'packetsDown', unit: '', formula: 'packets down', cic: 'Tot Bwd Pkts' },
  { name: 'bytesUp', unit: 'bytes', formula: 'Σ size up' },
  { name: 'bytesDown', unit: 'bytes', formula: 'Σ size down' },
  { name: 'payloadBytesUp', unit: 'bytes', formula: 'Σ payload up', cic: 'TotLen Fwd Pkts' },
  { name: 'payloadBytesDown', unit: 'bytes', formula: 'Σ payload down', cic: 'TotLen Bwd Pkts' },
  { name: 'headerBytesUp', unit: 'bytes', formula: 'Σ (IP length - payload) up', cic: 'Fwd Header Len' },
  { name: 'headerBytesDown', unit: 'bytes', formula: 'Σ (IP length - payload) down', cic: 'Bwd Header Len' },
  { name: 'payloadPacketsUp', unit: '', formula: 'packets up with payload > 0', cic: 'Fwd Act Data Pkts' },
  { name: 'payloadPacketsDown', unit: '', formula: 'packets down with payload > 0' },
  // Payload of a packet: what CICFlowMeter calls its length
  { name: 'payloadUpMin', unit: 'bytes', formula: 'least payload up', cic: 'Fwd Pkt Len Min', edge: NONE_UP },
  { name: 'payloadUpMax', unit: 'bytes', formula: 'greatest payload up', cic: 'Fwd Pkt Len Max', edge: NONE_UP },
  { name: 'payloadUpMean', unit: 'bytes', formula: 'mean payload up', cic: 'Fwd Pkt Len Mean, Fwd Seg Size Avg', edge: NONE_UP },
  { name: 'payloadUpDeviation', unit: 'bytes', formula: 'deviation of payload up', cic: 'Fwd Pkt Len Std', edge: FEW_UP },
  { name: 'payloadDownMin', unit: 'bytes', formula: 'least payload down', cic: 'Bwd Pkt Len Min', edge: NONE_DOWN },
  { name: 'payloadDownMax', unit: 'bytes', formula: 'greatest payload down', cic: 'Bwd Pkt Len Max', edge: NONE_DOWN },
  { name: 'payloadDownMean', unit: 'bytes', formula: 'mean payload down', cic: 'Bwd Pkt Len Mean, Bwd Seg Size Avg', edge: NONE_DOWN },
  { name: 'payloadDownDeviation', unit: 'bytes', formula: 'deviation of payload down', cic: 'Bwd Pkt Len Std', edge: FEW_DOWN },
  { name: 'payloadMin', unit: 'bytes', formula: 'least payload', cic: 'Pkt Len Min', edge: NONE },
  { name: 'payloadMax', unit: 'bytes', formula: 'greatest payload', cic: 'Pkt Len Max', edge: NONE },
  { name: 'payloadMean', unit: 'bytes', formula: 'mean payload', cic: 'Pkt Len Mean, Pkt Size Avg', edge: NONE },
  { name: 'payloadDeviation', unit: 'bytes', formula: 'deviation of payload', cic: 'Pkt Len Std', edge: FEW },
  { name: 'payloadVariance', unit: 'bytes²', formula: 'variance of payload', cic: 'Pkt Len Var', edge: FEW },
  // Size of a packet
  { name: 'sizeUpMin', unit: 'bytes', formula: 'least size up', edge: NONE_UP },
  { name: 'sizeUpMax', unit: 'bytes', formula: 'greatest size up', edge: NONE_UP },
  { name: 'sizeUpMean', unit: 'bytes', formula: 'mean size up', edge: NONE_UP },
  { name: 'sizeUpDeviation', unit: 'bytes', formula: 'deviation of size up', edge: FEW_UP },
  { name: 'sizeDownMin', unit: 'bytes', formula: 'least size down', edge: NONE_DOWN },
  { name: 'sizeDownMax', unit: 'bytes', formula: 'greatest size down', edge: NONE_DOWN },
  { name: 'sizeDownMean', unit: 'bytes', formula: 'mean size down', edge: NONE_DOWN },
  { name: 'sizeDownDeviation', unit: 'bytes', formula: 'deviation of size down', edge: FEW_DOWN },
  { name: 'sizeMin', unit: 'bytes', formula: 'least size', edge: NONE },
  { name: 'sizeMax', unit: 'bytes', formula: 'greatest size', edge: NONE },
  { name: 'sizeMean', unit: 'bytes', formula: 'mean size', edge: NONE },
  { name: 'sizeDeviation', unit: 'bytes', formula: 'deviation of size', edge: FEW },
  { name: 'headerUpMin', unit: 'bytes', formula: 'least (IP length - payload) up', cic: 'Fwd Seg Size Min', edge: NONE_UP },
  { name: 'headerDownMin', unit: 'bytes', formula: 'least (IP length - payload) down', edge: NONE_DOWN },
  // Inter-arrival times: of a packet, the time since the one before it
  { name: 'iatMeanUs', unit: 'µs', formula: 'mean time between neighbours', cic: 'Flow IAT Mean', edge: FEW },
  { name: 'iatDeviationUs', unit: 'µs', formula: 'deviation of the same', cic: 'Flow IAT Std', edge: 'NaN below three packets' },
  { name: 'iatMaxUs', unit: 'µs', formula: 'greatest of the same', cic: 'Flow IAT Max', edge: FEW },
  { name: 'iatMinUs', unit: 'µs', formula: 'least of the same', cic: 'Flow IAT Min', edge: `${FEW}; negative where stamps run back` },
  { name: 'iatUpTotalUs', unit: 'µs', formula: 'Σ time between neighbours up', cic: 'Fwd IAT Tot', edge: '0 below two packets up' },
  { name: 'iatUpMeanUs', unit: 'µs', formula: 'mean of the same', cic: 'Fwd IAT Mean', edge: FEW_UP },
  { name: 'iatUpDeviationUs', unit: 'µs', formula: 'deviation of the same', cic: 'Fwd IAT Std', edge: 'NaN below three packets up' },
  { name: 'iatUpMaxUs', unit: 'µs', formula: 'greatest of the same', cic: 'Fwd IAT Max', edge: FEW_UP },
  { name: 'iatUpMinUs', unit: 'µs', formula: 'least of the same', cic: 'Fwd IAT Min', edge: FEW_UP },
  { name: 'iatDownTotalUs', unit: 'µs', formula: 'Σ time between neighbours down', cic: 'Bwd IAT Tot', edge: '0 below two packets down' },
  { name: 'iatDownMeanUs', unit: 'µs', formula: 'mean of the same', cic: 'Bwd IAT Mean', edge: FEW_DOWN },
  { name: 'iatDownDeviationUs', unit: 'µs', formula: 'deviation of the same', cic: 'Bwd IAT Std', edge: 'NaN below three packets down' },
  { name: 'iatDownMaxUs', unit: 'µs', formula: 'greatest of the same', cic: 'Bwd IAT Max', edge: FEW_DOWN },
  { name: 'iatDownMinUs', unit: 'µs', formula: 'least of the same', cic: 'Bwd IAT Min', edge: FEW_DOWN },
  // Rates
  { name: 'payloadBytesPerSecond', unit: 'bytes/s', formula: 'Σ payload / duration', cic: 'Flow Byts/s', edge: `${NO_TIME} or payload` },
  { name: 'bytesPerSecond', unit: 'bytes/s', formula: 'Σ size / duration', edge: NO_TIME },
  { name: 'packetsPerSecond', unit: 'packets/s', formula: 'packets / duration', cic: 'Flow Pkts/s', edge: NO_TIME },
  { name: 'packetsPerSecondUp', unit: 'packets/s', formula: 'packets up / duration', cic: 'Fwd Pkts/s', edge: `${NO_TIME} up` },
  { name: 'packetsPerSecondDown', unit: 'packets/s', formula: 'packets down / duration', cic: 'Bwd Pkts/s', edge: `${NO_TIME} down` },
  // TCP flags
  { name: 'finPackets', unit: '', formula: 'packets with FIN', cic: 'FIN Flag Cnt' },
  { name: 'synPackets', unit: '', formula: 'packets with SYN', cic: 'SYN Flag Cnt' },
  { name: 'rstPackets', unit: '', formula: 'packets with RST', cic: 'RST Flag Cnt' },
  { name: 'pshPackets', unit: '', formula: 'packets with PSH', cic: 'PSH Flag Cnt' },
  { name: 'ackPackets', unit: '', formula: 'packets with ACK', cic: 'ACK Flag Cnt' },
  { name: 'urgPackets', unit: '', formula: 'packets with URG', cic: 'URG Flag Cnt' },
  { name: 'cwrPackets', unit: '', formula: 'packets with CWR', cic: 'CWE Flag Count' },
  { name: 'ecePackets', unit: '', formula: 'packets with ECE', cic: 'ECE Flag Cnt' },
  { name: 'pshPacketsUp', unit: '', formula: 'packets up with PSH', cic: 'Fwd PSH Flags' },
  { name: 'pshPacketsDown', unit: '', formula: 'packets down with PSH', cic: 'Bwd PSH Flags' },
  { name: 'urgPacketsUp', unit: '', formula: 'packets up with URG', cic: 'Fwd URG Flags' },
  { name: 'urgPacketsDown', unit: '', formula: 'packets down with URG', cic: 'Bwd URG Flags' },
  // Down against up
  { name: 'downUpPacketRatio', unit: '', formula: 'packets down / packets up', cic: 'Down/Up Ratio', edge: '+inf without a packet up; NaN without any' },
  { name: 'downUpByteRatio', unit: '', formula: 'Σ size down / Σ size up', edge: '+inf without bytes up; NaN without any' },
  // Bulks: four or more payload packets of one direction, none of the other between, each at most 1 s behind the last
  { name: 'bulkUpBytesMean', unit: 'bytes', formula: 'Σ payload of bulks up / bulks up', cic: 'Fwd Byts/b Avg', edge: NO_BULK },
  { name: 'bulkUpPacketsMean', unit: '', formula: 'packets of bulks up / bulks up', cic: 'Fwd Pkts/b Avg', edge: NO_BULK },
  { name: 'bulkUpBytesPerSecond', unit: 'bytes/s', formula: 'Σ payload of bulks up / their durations', cic: 'Fwd Blk Rate Avg', edge: `${NO_BULK}; +inf for a duration of 0` },
  { name: 'bulkDownBytesMean', unit: 'bytes', formula: 'Σ payload of bulks down / bulks down', cic: 'Bwd Byts/b Avg', edge: NO_BULK },
  { name: 'bulkDownPacketsMean', unit: '', formula: 'packets of bulks down / bulks down', cic: 'Bwd Pkts/b Avg', edge: NO_BULK },
  { name: 'bulkDownBytesPerSecond', unit: 'bytes/s', formula: 'Σ payload of bulks down / their durations', cic: 'Bwd Blk Rate Avg', edge: `${NO_BULK}; +inf for a duration of 0` },
  // Subflows: what gaps of over 1 s take apart; a flow without such a gap is one
  { name: 'subflowUpPackets', unit: '', formula: 'packets up / subflows', cic: 'Subflow Fwd Pkts', edge: NONE },
  { name: 'subflowUpBytes', unit: 'bytes', formula: 'Σ payload up / subflows', cic: 'Subflow Fwd Byts', edge: NONE },
  { name: 'subflowDownPackets', unit: '', formula: 'packets down / subflows', cic: 'Subflow Bwd Pkts', edge: NONE },
  { name: 'subflowDownBytes', unit: 'bytes', formula: 'Σ payload down / subflows', cic: 'Subflow Bwd Byts', edge: NONE },
  // TCP windows
  { name: 'initialWindowUp', unit: 'bytes', formula: 'TCP window of the first packet up, unscaled, whether it counts or not', cic: 'Init Fwd Win Byts', edge: 'NaN for UDP, and without a packet up' },
  { name: 'initialWindowDown', unit: 'bytes', formula: 'the same, down', cic: 'Init Bwd Win Byts', edge: 'NaN for UDP, and without a packet down' },
  // Active times: what gaps of over 5 s take apart, without those of no duration; idle times: these gaps
  { name: 'activeMeanUs', unit: 'µs', formula: 'mean active time', cic: 'Active Mean', edge: NO_ACTIVE },
  { name: 'activeDeviationUs', unit: 'µs', formula: 'deviation of the same', cic: 'Active Std', edge: 'NaN below two active times' },
  { name: 'activeMaxUs', unit: 'µs', formula: 'greatest of the same', cic: 'Active Max', edge: NO_ACTIVE },
  { name: 'activeMinUs', unit: 'µs', formula: 'least of the same', cic: 'Active Min', edge: NO_ACTIVE },
  { name: 'idleMeanUs', unit: 'µs', formula: 'mean idle time', cic: 'Idle Mean', edge: NO_IDLE },
  { name: 'idleDeviationUs', unit: 'µs', formula: 'deviation of the same', cic: 'Idle Std', edge: 'NaN below two idle times' },
  { name: 'idleMaxUs', unit: 'µs', formula: 'greatest of the same', cic: 'Idle Max', edge: NO_IDLE },
  { name: 'idleMinUs', unit: 'µs', formula: 'least of the same', cic: 'Idle Min', edge: NO_IDLE },
  // Not of CICFlowMeter
  { name: 'smallPackets', unit: '', formula: 'packets with a payload of 1 to 127 bytes' },
  { name: 'fullPackets', unit: '', formula: 'packets with an IP length of 1,280 bytes or more' },
  { name: 'directionChanges', unit: '', formula: 'neighbours of different direction' },
  { name: 'firstDownDelayUs', unit: 'µs', formula: 'time of the first packet down - of the first packet', edge: NONE_DOWN },
] as const satisfies readonly StatisticRow[];

export type StatisticName = (typeof STATISTICS_TABLE)[number]['name'];

/** S names, in the order in which models read them. */
export const STATISTICS: readonly StatisticName[] = STATISTICS_TABLE.map(
  ({ name }) => name,
);
