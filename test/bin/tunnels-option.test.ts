// `--tunnels` as a user gives it.

import test from 'ava';
import { classicPcap } from '../helpers/captures.ts';
import { jsonLines, sluice } from '../helpers/sluice.ts';

const LINKTYPE_RAW = 101;

/** UDP from 10.0.0.1 to 10.0.0.2 over GRE from 10.0.0.101 to 10.0.0.102. */
const GRE_PACKET = Buffer.from(
  [
    '4500003800000000402f00000a0000650a000066',
    '00000800',
    '4500002000000000401100000a0000010a000002',
    '9c4001bb000c0000',
    '61626364',
  ].join(''),
  'hex',
);
const CAPTURE = classicPcap(
  [{ bytes: GRE_PACKET, seconds: 1_700_000_000, nanoseconds: 0 }],
  { littleEndian: true, nanoseconds: false, linkType: LINKTYPE_RAW },
);

const listed = test.macro<[args: readonly string[], clients: readonly string[]]>({
  async exec(t, args, clients) {
    const { code, stdout } = await sluice(['flows', '--json', ...args, '-'], CAPTURE);
    t.is(code, 0);
    t.deepEqual(
      jsonLines(stdout).map((flow) => flow.client),
      clients,
    );
  },
  title: (_, args = [], clients = []) =>
    `\`${['flows', ...args].join(' ')}\` ${clients.length > 0 ? 'looks into' : 'leaves alone'} a GRE tunnel`,
});
test(listed, [], ['10.0.0.1']);
test(listed, ['--tunnels', 'all'], ['10.0.0.1']);
test(listed, ['--tunnels', 'vxlan,gre'], ['10.0.0.1']);
test(listed, ['--tunnels', 'vxlan,gtpu,ipip'], []);
test(listed, ['--tunnels', 'none'], []);

const refused = test.macro<[command: string, list: string, named: string]>({
  async exec(t, command, list, named) {
    const { code, stdout, stderr } = await sluice([command, '--tunnels', list, '-']);
    t.is(code, 2);
    t.is(stdout, '');
    t.is(stderr.trimEnd().split('\n').length, 1);
    t.true(stderr.includes(`'${named}'`), stderr);
    t.true(stderr.includes('gre,vxlan,gtpu,ipip'), stderr);
  },
  title: (_, command, list) =>
    `${command} refuses --tunnels '${list}' and names the right ones`,
});
test(refused, 'flows', 'gre,teredo', 'teredo');
test(refused, 'flows', 'gre,all', 'all');
test(refused, 'flows', '', '');
test(refused, 'replay', 'GRE', 'GRE');
