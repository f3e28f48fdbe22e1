// Facts in, findings out: each check for itself, with facts made by hand.

import test from 'ava';
import { CAPTURE_STEPS, type CaptureProbe } from '../../src/capture/capture-probe.ts';
import type { InterfaceFacts } from '../../src/capture/interface-facts.ts';
import { type CaptureFacts, captureFindings } from '../../src/doctor/capture-checks.ts';
import type { Finding, Status } from '../../src/doctor/finding.ts';
import { interfaceFindings } from '../../src/doctor/interface-checks.ts';
import {
  clockFinding,
  clockSourceFinding,
  kernelFinding,
  memoryFinding,
  synchronisationFinding,
} from '../../src/doctor/machine-checks.ts';
import {
  type Capability,
  capabilitiesOf,
  lockLimitOf,
} from '../../src/doctor/process-facts.ts';

const MIB = 2 ** 20;

const works = Object.fromEntries(
  CAPTURE_STEPS.map((step) => [step, { status: 'worked' }]),
) as CaptureProbe;

const refused = {
  ...Object.fromEntries(CAPTURE_STEPS.map((step) => [step, { status: 'not-tried' }])),
  interface: { status: 'worked' },
  socket: { status: 'failed', fault: 'EPERM' },
} as CaptureProbe;

function captureFacts(change: Partial<CaptureFacts> = {}): CaptureFacts {
  const capabilities: ReadonlySet<Capability> = new Set(['CAP_NET_RAW']);
  return { probe: works, capabilities, lockLimitBytes: 64 * MIB, ...change };
}

function named(findings: readonly Finding[], check: string): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

function statuses(findings: readonly Finding[]): Status[] {
  return [...new Set(findings.map(({ status }) => status))];
}

test('CAP_NET_RAW alone is enough to capture', (t) => {
  t.deepEqual(statuses(captureFindings(captureFacts())), ['ok']);
});

test('a refused packet socket is the one failure, and the rest waits for it', (t) => {
  const capabilities = new Set<Capability>();
  const findings = captureFindings(captureFacts({ probe: refused, capabilities }));
  const failed = findings.filter(({ status }) => status === 'fail');
  t.deepEqual(
    failed.map(({ check }) => check),
    ['packet-socket'],
  );
  t.regex(failed[0]?.found ?? '', /EPERM.*CAP_NET_RAW/);
  t.regex(
    failed[0]?.mend ?? '',
    /AmbientCapabilities=CAP_NET_RAW.*setcap cap_net_raw\+ep/,
  );
  t.is(named(findings, 'packet-ring')?.found, 'not tried: mend packet-socket first');
});

test('a socket that is refused in spite of CAP_NET_RAW points at the sandbox', (t) => {
  const finding = named(
    captureFindings(captureFacts({ probe: refused })),
    'packet-socket',
  );
  t.is(finding?.status, 'fail');
  t.regex(finding?.mend ?? '', /user namespace or sandbox/);
});

const lacks = test.macro({
  exec: (t, step: keyof CaptureProbe, check: string, status: Status) => {
    const probe = {
      ...works,
      [step]: { status: 'failed', fault: 'ENOPROTOOPT' } as const,
    };
    const findings = captureFindings(captureFacts({ probe }));
    const finding = named(findings, check);
    t.is(finding?.status, status);
    t.regex(finding?.found ?? '', /ENOPROTOOPT/);
    t.truthy(finding?.mend);
    t.is(findings.filter((each) => each.status === 'ok').length, findings.length - 1);
  },
  title: (_, step, check, status) => `without ${step} ${check} is a ${status}`,
});
test(lacks, 'version', 'packet-ring', 'fail');
test(lacks, 'ring', 'packet-ring', 'fail');
test(lacks, 'map', 'packet-ring', 'fail');
test(lacks, 'bind', 'packet-ring', 'fail');
test(lacks, 'filter', 'packet-filter', 'fail');
test(lacks, 'vnet-header', 'vnet-header', 'warn');
test(lacks, 'fanout', 'fanout', 'warn');
test(lacks, 'ignore-outgoing', 'ignore-outgoing', 'warn');
test(lacks, 'map-locked', 'memory-lock', 'warn');

test('without the addon no step is tried, what the process may do is told', (t) => {
  const findings = captureFindings(captureFacts({ probe: undefined }));
  const waiting = findings.filter(({ status }) => status === 'warn');
  t.is(waiting.length, 6);
  for (const { found } of waiting) t.is(found, 'not tried: mend addon first');
  t.is(named(findings, 'memory-lock')?.status, 'ok');
});

const locks = test.macro({
  exec: (t, change: Partial<CaptureFacts>, status: Status) => {
    const finding = named(captureFindings(captureFacts(change)), 'memory-lock');
    t.is(finding?.status, status);
  },
  title: (title, _, status) => `memory lock: ${title} is ${status}`,
});
test('a limit below the ring', locks, { lockLimitBytes: 64 * MIB - 1 }, 'warn');
test('no limit', locks, { lockLimitBytes: Number.POSITIVE_INFINITY }, 'ok');
test('an unknown limit', locks, { lockLimitBytes: undefined }, 'warn');
test(
  'a low limit under CAP_IPC_LOCK',
  locks,
  {
    lockLimitBytes: 0,
    capabilities: new Set<Capability>(['CAP_NET_RAW', 'CAP_IPC_LOCK']),
  },
  'ok',
);

const wan0: InterfaceFacts = {
  name: 'wan0',
  index: 3,
  mtu: 1_500,
  hardwareType: 1,
  up: true,
  running: true,
  promiscuous: false,
  offloads: {
    gro: false,
    lro: false,
    gso: false,
    tso: false,
    rxVlan: true,
    txVlan: true,
    udpGro: undefined,
    hwTc: false,
  },
};

test('an interface that is up, of usual MTU and without offloads, is all ok', (t) => {
  t.deepEqual(statuses(interfaceFindings(wan0)), ['ok']);
});

test('without the addon nothing of the interface is told', (t) => {
  const findings = interfaceFindings(undefined);
  t.is(findings.length, interfaceFindings(wan0).length);
  for (const { found } of findings) t.is(found, 'not tried: mend addon first');
});

test('an interface that is down fails, one without a carrier is warned of', (t) => {
  const down = named(interfaceFindings({ ...wan0, up: false }), 'interface');
  t.is(down?.status, 'fail');
  t.is(down?.mend, 'ip link set wan0 up');
  const idle = named(interfaceFindings({ ...wan0, running: false }), 'interface');
  t.is(idle?.status, 'warn');
});

test('an MTU that no model has learnt, or too small for IPv6, is warned of', (t) => {
  for (const [mtu, status] of [
    [1_279, 'warn'],
    [1_280, 'ok'],
    [1_500, 'ok'],
    [1_501, 'warn'],
  ] as const) {
    t.is(named(interfaceFindings({ ...wan0, mtu }), 'mtu')?.status, status, `${mtu}`);
  }
});

test('offloads are mended by one command a side', (t) => {
  const offloads = { ...wan0.offloads, gro: true, lro: true, tso: true };
  const findings = interfaceFindings({ ...wan0, offloads });
  const receive = named(findings, 'receive-offloads');
  t.is(receive?.status, 'warn');
  t.is(receive?.mend, 'ethtool -K wan0 gro off lro off');
  t.is(named(findings, 'send-offloads')?.mend, 'ethtool -K wan0 tso off');
});

const kernel = test.macro({
  exec: (t, name: string, release: string, status: Status) => {
    t.is(kernelFinding({ name, release }).status, status);
  },
  title: (_, name, release, status) => `kernel ${name} ${release} is ${status}`,
});
test(kernel, 'Linux', '6.1.0-13-amd64', 'ok');
test(kernel, 'Linux', '4.20.0', 'ok');
test(kernel, 'Linux', '5.4.0-rc1', 'ok');
test(kernel, 'Linux', '4.19.300', 'warn');
test(kernel, 'Linux', '3.10', 'warn');
test(kernel, 'Darwin', '23.1.0', 'fail');

test('a clock from before the build fails, a day of difference is forgiven', (t) => {
  const built = new Date('2026-11-24T12:00:00Z');
  t.is(clockFinding(new Date('1970-01-01T00:10:00Z'), built).status, 'fail');
  t.is(clockFinding(new Date('2026-11-23T13:00:00Z'), built).status, 'ok');
  t.is(clockFinding(new Date('2031-01-01T00:00:00Z'), built).status, 'ok');
});

test('a clock is ok when kept right, and a warning when not or when nobody tells', (t) => {
  const facts = (synchronised: boolean) => ({
    clockFacts: () => ({ synchronised, maxErrorUs: 1_500 }),
  });
  t.is(synchronisationFinding(facts(true)).status, 'ok');
  t.is(synchronisationFinding(facts(false)).status, 'warn');
  const refusal = synchronisationFinding({
    clockFacts: () => ({ step: 'adjtimex', errno: 1 }),
  });
  t.is(refusal.status, 'warn');
  t.regex(refusal.found, /EPERM/);
  t.is(synchronisationFinding(undefined).found, 'not tried: mend addon first');
});

test('a coarse or slow clock source is warned of', (t) => {
  for (const source of ['tsc', 'arch_sys_counter', 'kvm-clock', 'mips']) {
    t.is(clockSourceFinding(source).status, 'ok', source);
  }
  for (const source of ['jiffies', 'hpet', 'acpi_pm']) {
    t.is(clockSourceFinding(source).status, 'warn', source);
  }
});

test('memory has to do for flow table and ring', (t) => {
  t.is(memoryFinding(86 * MIB, 150 * MIB).status, 'ok');
  const finding = memoryFinding(86 * MIB, 149 * MIB);
  t.is(finding.status, 'fail');
  t.is(finding.found, '149 MiB available');
  t.regex(finding.expected, /150 MiB/);
});

test('effective capabilities are read from the mask, whatever surrounds it', (t) => {
  const status = (mask: string) =>
    `Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${mask}\nCapBnd:\tffffffffffffffff\n`;
  const held = (mask: string) => [...capabilitiesOf(status(mask))].sort();
  t.deepEqual(held('0000000000000000'), []);
  t.deepEqual(held('0000000000002000'), ['CAP_NET_RAW']);
  t.deepEqual(held('0000000000001000'), ['CAP_NET_ADMIN']);
  t.deepEqual(held('000001ffffffffff'), ['CAP_IPC_LOCK', 'CAP_NET_ADMIN', 'CAP_NET_RAW']);
  t.deepEqual([...capabilitiesOf('')], []);
});

test('the soft limit of locked memory is read in bytes', (t) => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         ${soft.padEnd(20)} unlimited            bytes     \n`;
  t.is(lockLimitOf(limits('65536')), 65_536);
  t.is(lockLimitOf(limits('unlimited')), Number.POSITIVE_INFINITY);
  t.is(lockLimitOf(''), undefined);
});
