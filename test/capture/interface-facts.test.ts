// What the kernel says about interfaces and of the steps to a packet ring, through the addon. No root needed.

import test from 'ava';
import { CAPTURE_STEPS, probeCapture } from '../../src/capture/capture-probe.ts';
import {
  type InterfaceFacts,
  interfaceFacts,
  listInterfaces,
  offloadWarnings,
} from '../../src/capture/interface-facts.ts';
import { type InterfaceOffloads, loadNative } from '../../src/capture/native.ts';
import { InputError } from '../../src/errors.ts';
import { RECORD_LAYOUT_VERSION } from '../../src/flow/record-layout.ts';

const native = loadNative(RECORD_LAYOUT_VERSION);
const ARPHRD_LOOPBACK = 772;

test('the loopback interface is the first, and its offloads are told', (t) => {
  const facts = interfaceFacts(native, 'lo');
  t.is(facts.name, 'lo');
  t.is(facts.index, 1);
  t.is(facts.hardwareType, ARPHRD_LOOPBACK);
  t.true(facts.mtu >= 1_500);
  t.is(typeof facts.offloads.gro, 'boolean');
  t.is(typeof facts.offloads.lro, 'boolean');
});

test('an unknown interface is wrong input, and those that are there are named', (t) => {
  const fault = t.throws(() => interfaceFacts(native, 'eth-none'), {
    instanceOf: InputError,
    code: 'ERR_INTERFACE_UNKNOWN',
  });
  t.is(
    fault?.message,
    `no interface "eth-none", expected one of ${listInterfaces().join(', ')}`,
  );
});

test('what no interface can be called is unknown, never cut short', (t) => {
  for (const name of ['', 'lo\0', 'lo:1', `lo${' '.repeat(40)}`]) {
    t.throws(() => interfaceFacts(native, name), { code: 'ERR_INTERFACE_UNKNOWN' });
  }
});

test('every interface that is listed has facts', (t) => {
  const names = listInterfaces();
  t.true(names.includes('lo'));
  const indices = names.map((name) => interfaceFacts(native, name).index);
  t.is(new Set(indices).size, names.length);
});

const OFF: InterfaceOffloads = {
  gro: false,
  lro: false,
  gso: false,
  tso: false,
  rxVlan: false,
  txVlan: false,
  udpGro: undefined,
  hwTc: undefined,
};

function eth0(offloads: Partial<InterfaceOffloads>): InterfaceFacts {
  return {
    name: 'eth0',
    index: 2,
    mtu: 1_500,
    hardwareType: 1,
    up: true,
    running: true,
    promiscuous: false,
    offloads: { ...OFF, ...offloads },
  };
}

test('merging on receipt is warned of with the command that ends it', (t) => {
  t.deepEqual(offloadWarnings(eth0({ gro: true })), [
    "eth0: generic-receive-offload is on: packets arrive merged, sizes are split back by the kernel's gso_size; to see them as on the wire: ethtool -K eth0 gro off",
  ]);
});

const distorts = test.macro({
  exec: (t, name: keyof InterfaceOffloads, setting: string) => {
    const [line, ...more] = offloadWarnings(eth0({ [name]: true }));
    t.deepEqual(more, []);
    t.true(line?.startsWith(`eth0: ${setting} is on: `));
    t.regex(line ?? '', /: ethtool -K eth0 [a-z-]+ off$/);
  },
  title: (_, name) => `${name} that is on has a warning of its own`,
});
test(distorts, 'gro', 'generic-receive-offload');
test(distorts, 'lro', 'large-receive-offload');
test(distorts, 'udpGro', 'rx-udp-gro-forwarding');
test(distorts, 'hwTc', 'hw-tc-offload');
test(distorts, 'tso', 'tcp-segmentation-offload');
test(distorts, 'gso', 'generic-segmentation-offload');

test('offloads that are off or unknown, and those of VLAN tags, are not warned of', (t) => {
  t.deepEqual(offloadWarnings(eth0({})), []);
  t.deepEqual(offloadWarnings(eth0({ rxVlan: true, txVlan: true })), []);
});

test('the addon tries the steps that TypeScript knows, in their order', (t) => {
  const steps = native.probeCapture('lo').map(({ step }) => step);
  t.deepEqual(steps, [...CAPTURE_STEPS]);
});

test('without a packet socket no later step is tried', (t) => {
  const probe = probeCapture(native);
  t.is(probe.interface.status, 'worked');
  const allowed = probe.socket.status === 'worked';
  t.is(probe.ring.status !== 'not-tried', allowed);
  t.is(probe.fanout.status !== 'not-tried', allowed);
});

test('a step that fails has the name of its errno', (t) => {
  const probe = probeCapture(native, 'eth-none');
  t.deepEqual(probe.interface, { status: 'failed', fault: 'ENODEV' });
  t.deepEqual(probe.bind, { status: 'not-tried' });
});
