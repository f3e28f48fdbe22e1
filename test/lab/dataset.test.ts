// The committed captures: labels and packets belong together, and nothing of a flow's surroundings names its class.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readFacts } from '../../lab/facts.ts';
import { type FlowLabel, readLabels } from '../../lab/labels.ts';
import { flowsOf, labelKey, type SeenFlow } from '../../lab/match.ts';
import { readPackets } from '../../lab/packets.ts';
import { SERVICES } from '../../models/labels.ts';

const DATASET = 'lab/dataset';
const FIXTURES = 'test/fixtures';
const DEMO = 'lab-demo';
const PACKETS_LEAST = 10;
const CLASSES_LEAST = 3;
const ETHERNET_BYTES = 14;

const facts = [
  ...readFacts(DATASET).map((one) => ({ ...one, directory: DATASET })),
  ...readFacts(FIXTURES)
    .filter(({ name }) => name === DEMO)
    .map((one) => ({ ...one, directory: FIXTURES })),
];
const labelsOf = ({
  directory,
  name,
}: {
  directory: string;
  name: string;
}): FlowLabel[] => readLabels(join(directory, `${name}.labels.jsonl`));
const training = facts.filter(({ directory }) => directory === DATASET);

function groupedBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items)
    groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

test('every capture of the data set has its labels and its facts', (t) => {
  const captures = readdirSync(DATASET).filter((file) => file.endsWith('.pcap.gz'));
  t.deepEqual(captures.sort(), training.map(({ name }) => `${name}.pcap.gz`).sort());
  for (const { directory, name } of facts) {
    t.true(existsSync(join(directory, `${name}.labels.jsonl`)));
  }
});

for (const capture of facts) {
  const file = join(capture.directory, `${capture.name}.pcap.gz`);

  test(`${capture.name}: every labelled flow is there from its SYN on`, async (t) => {
    const flows = await flowsOf(file);
    const labels = labelsOf(capture);
    const found = new Set<SeenFlow>();
    for (const label of labels) {
      const flow = flows.get(labelKey(label));
      t.is(flow?.startUs, label.startUs, labelKey(label));
      if (flow !== undefined) found.add(flow);
    }
    t.is(found.size, labels.length);
    const long = [...found].filter(({ packets }) => packets >= PACKETS_LEAST).length;
    t.true(long >= 0.95 * labels.length, `${long} of ${labels.length}`);
  });

  test(`${capture.name}: packets have the size of a wire and lengths outlive trimming`, async (t) => {
    let before = 0;
    let cut = 0;
    for await (const { frame, bytes, wireBytes, timeUs } of readPackets(file)) {
      if (frame.ipBytes > capture.network.mtu) t.fail(`${frame.ipBytes} bytes`);
      if (wireBytes < frame.ipBytes + ETHERNET_BYTES)
        t.fail('shorter than its IP length');
      if (bytes.byteLength < wireBytes) cut++;
      if (timeUs < before) t.fail('out of order');
      before = timeUs;
    }
    t.true(cut > 0);
  });

  test(`${capture.name}: all classes have flows, in about equal numbers`, (t) => {
    const labels = labelsOf(capture);
    for (const service of SERVICES) {
      const own = labels.filter((label) => label.service === service).length;
      const even = labels.length / SERVICES.length;
      t.true(
        own >= even / 2 && own <= 2 * even,
        `${service}: ${own} of ${labels.length}`,
      );
    }
  });
}

test('captures follow each other in time, the demo comes last', (t) => {
  const starts = facts.map((one) =>
    Math.min(...labelsOf(one).map(({ startUs }) => startUs)),
  );
  t.deepEqual(
    starts,
    starts.toSorted((a, b) => a - b),
  );
});

test('a session has one class, one client and one profile, and its name tells none', (t) => {
  const sessions = groupedBy(facts.flatMap(labelsOf), ({ session }) => session);
  for (const [name, flows] of sessions) {
    for (const field of ['service', 'clientProfile', 'capture', 'serverPort'] as const) {
      t.is(new Set(flows.map((flow) => flow[field])).size, 1, `${name}: ${field}`);
    }
    for (const service of SERVICES) t.false(name.includes(service));
  }
});

/** What a handshake, an address or a port may tell. */
const SURROUNDINGS = [
  { field: 'host', flowsLeast: 1 },
  { field: 'serverPort', flowsLeast: 1 },
  { field: 'clientProfile', flowsLeast: 1 },
  { field: 'alpn', flowsLeast: 1 },
  { field: 'tlsVersion', flowsLeast: 1 },
  { field: 'resumed', flowsLeast: 1 },
  // An address that few happened to ask for has fewer flows than there are classes.
  { field: 'server', flowsLeast: 6 },
  { field: 'client', flowsLeast: 6 },
] as const;

for (const { field, flowsLeast } of SURROUNDINGS) {
  test(`every value of "${field}" serves several classes`, (t) => {
    const groups = groupedBy(training.flatMap(labelsOf), (label) => String(label[field]));
    for (const [value, flows] of groups) {
      if (flows.length < flowsLeast) continue;
      const classes = new Set(flows.map(({ service }) => service)).size;
      t.true(
        classes >= CLASSES_LEAST,
        `${value}: ${classes} classes in ${flows.length} flows`,
      );
    }
  });
}

/** Few values, many flows each: whoever knows one should hardly guess better than by chance (1 in 8). */
for (const field of [
  'serverPort',
  'clientProfile',
  'alpn',
  'tlsVersion',
  'resumed',
] as const) {
  test(`"${field}" hardly helps to guess the class`, (t) => {
    const labels = training.flatMap(labelsOf);
    const groups = groupedBy(labels, (label) => String(label[field]));
    let right = 0;
    for (const flows of groups.values()) {
      const classes = groupedBy(flows, ({ service }) => service);
      right += Math.max(...[...classes.values()].map(({ length }) => length));
    }
    // The best guess in hindsight; chance alone gives some 0.17 with so few flows a value.
    t.true(right / labels.length <= 0.25, `${(100 * right) / labels.length} %`);
  });
}

test('each class uses at least two transports and both versions of IP', (t) => {
  for (const service of SERVICES) {
    const own = training.flatMap(labelsOf).filter((label) => label.service === service);
    t.true(new Set(own.map(({ transport }) => transport)).size >= 2, service);
    t.is(new Set(own.map(({ client }) => client.includes(':'))).size, 2, service);
  }
});
