// The agent's configuration: what is wrong is told by line, what is right is printed and read again.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { type AgentConfig, loadConfig, parseConfig } from '../../src/agent/config.ts';
import { configPage, configSchemaJson } from '../../src/agent/config-docs.ts';
import type { ConfigOverrides } from '../../src/agent/config-tree.ts';
import { configWords } from '../../src/agent/config-words.ts';
import { printConfig } from '../../src/agent/print-config.ts';
import { SHIPPED_BUNDLE } from '../../src/bundle/shipped-bundle.ts';
import { ConfigError } from '../../src/errors.ts';
import { completeOptions } from '../../src/flow/flow-table.ts';
import { ROOT } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const ENV = { HOME: '/home/somebody' };
const SECRET = 'sesame-0123456789';
const CONTROLLER = `site: paris-1
report:
  controller: https://sluice.example.net
`;

function parse(text: string, overrides: ConfigOverrides = {}): AgentConfig {
  return parseConfig(text, 'agent.yaml', ENV, overrides);
}

/** Lines of the one error that an action may throw. */
function faultsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (fault) {
    if (fault instanceof ConfigError) return fault.message.split('\n');
    throw fault;
  }
  return [];
}

const refused = test.macro<[text: string, faults: readonly string[]]>({
  exec: (t, text, faults) => {
    t.deepEqual(
      faultsOf(() => parse(text)),
      faults,
    );
  },
  title: (title) => `refused: ${title}`,
});

const ports =
  'capture.ports is [80, 0], expected a list of at most 1024 ports from 1 to 65535';
const steps =
  'expected 1 to 4 whole numbers from 1 to 65535, each greater than the one before';

test(
  'a key with a slip of the pen',
  refused,
  'log:\n  level: info\n\n\n\n\ndecison:\n  afterMs: 1\n',
  ['agent.yaml:7: unknown key "decison", did you mean "decision"?'],
);
test('a key of a section with swapped letters', refused, 'flows:\n  maxFlosw: 16\n', [
  'agent.yaml:2: unknown key "flows.maxFlosw", did you mean "flows.maxFlows"?',
]);
test('a key in another style', refused, 'report: {window_ms: 1000}', [
  'agent.yaml:1: unknown key "report.window_ms", did you mean "report.windowMs"?',
]);
test('a key of another section', refused, 'poolBytes: 70000', [
  'agent.yaml:1: unknown key "poolBytes", did you mean "flows.poolBytes"?',
]);
test('a key of the top in a section', refused, 'output:\n  interface: eth0', [
  'agent.yaml:2: unknown key "output.interface", did you mean "interface" at the top?',
]);
test('a key like no other', refused, 'log:\n  colour: true', [
  'agent.yaml:2: unknown key "log.colour", expected one of level',
]);
test(
  'keys that objects have by birth',
  refused,
  'constructor: 1\n__proto__: 2\nlog: {__proto__: 3}',
  [
    'agent.yaml:1: unknown key "constructor", expected one of interface, site, capture, flows, decision, classify, report, output, log',
    'agent.yaml:2: unknown key "__proto__", expected one of interface, site, capture, flows, decision, classify, report, output, log',
    'agent.yaml:3: unknown key "log.__proto__", expected one of level',
  ],
);
test('a number out of bounds', refused, 'capture:\n  rings: 0\n', [
  'agent.yaml:2: capture.rings is 0, expected a whole number from 1 to 64',
]);
test('words for a number', refused, 'capture:\n  rings: two\n', [
  'agent.yaml:2: capture.rings is "two", expected a whole number from 1 to 64',
]);
test('a fraction', refused, 'capture: {retireMs: 1.5}', [
  'agent.yaml:1: capture.retireMs is 1.5, expected a whole number from 1 to 1000',
]);
test('no number at all', refused, 'flows: {maxFlows: .nan, poolBytes: -.inf}', [
  'agent.yaml:1: flows.maxFlows is NaN, expected a whole number from 16 to 16777216',
  'agent.yaml:1: flows.poolBytes is -Infinity, expected a whole number from 65536 to 68719476736',
]);
test('yes for true', refused, 'capture:\n  promiscuous: yes', [
  'agent.yaml:2: capture.promiscuous is "yes", expected true or false',
]);
test('a key without a value', refused, 'site:\ncapture:\n  rings:\n', [
  'agent.yaml:1: site is empty, expected lower case letters, digits, - . and _, at most 63',
  'agent.yaml:3: capture.rings is empty, expected a whole number from 1 to 64',
]);
test('a section that is none', refused, 'capture: 5\nlog: [info]\n', [
  'agent.yaml:1: capture is 5, expected a map of keys',
  'agent.yaml:2: log is ["info"], expected a map of keys',
]);
test(
  'an element of a list, by its own line',
  refused,
  'capture:\n  ports:\n    - 80\n    - 0\n',
  [`agent.yaml:4: ${ports}`],
);
test(
  'a list with two wrong elements is one fault',
  refused,
  'capture: {protocols: [icmp, sctp]}',
  [
    'agent.yaml:1: capture.protocols is ["icmp", "sctp"], expected a list of tcp, udp or both',
  ],
);
test('an unknown tunnel', refused, 'capture: {tunnels: [teredo]}', [
  'agent.yaml:1: capture.tunnels is ["teredo"], expected a list of some of gre, vxlan, gtpu, ipip',
]);
test('steps that do not rise', refused, 'decision:\n  packets: [10, 10]', [
  `agent.yaml:2: decision.packets is [10, 10], ${steps}`,
]);
test('no steps', refused, 'decision:\n  packets: []', [
  `agent.yaml:2: decision.packets is [], ${steps}`,
]);
test('five steps', refused, 'decision:\n  packets: [1, 2, 3, 4, 5]', [
  `agent.yaml:2: decision.packets is [1, 2, 3, 4, 5], ${steps}`,
]);
test('a block that is no power of two', refused, 'capture: {ringBlockBytes: 12288}', [
  'agent.yaml:1: capture.ringBlockBytes is 12288, expected a power of two from 4096 to 1073741824',
]);
test('an MTU below what every host takes', refused, 'capture: {mtuBytes: 575}', [
  'agent.yaml:1: capture.mtuBytes is 575, expected 0 or a whole number from 576 to 65535',
]);
test("a site's name that is no part of addresses", refused, 'site: Paris 1', [
  'agent.yaml:1: site is "Paris 1", expected lower case letters, digits, - . and _, at most 63',
]);
test('an interface with a slash', refused, 'interface: ../eth0', [
  'agent.yaml:1: interface is "../eth0", expected an interface\'s name, at most 15 characters',
]);
test('a window of less than a second', refused, 'report: {windowMs: 999}', [
  'agent.yaml:1: report.windowMs is 999, expected a whole number from 1000 to 86400000',
]);
test('an unknown level', refused, 'log: {level: loud}', [
  'agent.yaml:1: log.level is "loud", expected one of trace, debug, info, warn, error, fatal, silent',
]);
test(
  'a long value, cut and without control characters',
  refused,
  `site: "\\e[31m\\x9b${'x'.repeat(99)}"`,
  [
    `agent.yaml:1: site is "\\u001b[31m\\u009b${'x'.repeat(60 - 17)}…, expected lower case letters, digits, - . and _, at most 63`,
  ],
);
test('a list at the top', refused, '\n- interface\n', [
  'agent.yaml:2: a list at the top, expected a map of keys',
]);
test('words at the top', refused, 'eth0', [
  'agent.yaml:1: "eth0" at the top, expected a map of keys',
]);
test(
  'a key given twice, and what else is wrong',
  refused,
  'site: a\nsite: b\nlog: {level: loud}',
  [
    'agent.yaml:2:1: key given twice, found "site: b"',
    'agent.yaml:3: log.level is "loud", expected one of trace, debug, info, warn, error, fatal, silent',
  ],
);
test(
  'a list without its end',
  refused,
  'capture:\n  ports: [80, 443\nlog:\n  level: info',
  [
    'agent.yaml:3:1: no YAML: Flow sequence in block collection must be sufficiently indented and end with a ], found "log:"',
  ],
);
test('a tab', refused, 'log:\n\tlevel: info', [
  'agent.yaml:2:1: no YAML: Tabs are not allowed as indentation, found "level: info"',
]);
test('two documents', refused, 'site: a\n---\nsite: b\n', [
  'agent.yaml:2:1: a second document begins, expected one, found "---"',
]);
test('a tag', refused, 'site: !env a', [
  'agent.yaml:1:7: no YAML: Unresolved tag: !env, found "site: !env a"',
]);
test('an alias of nothing', refused, 'site: a\ninterface: *b', [
  'agent.yaml:2:12: no anchor of its name before this alias',
]);
test('a text that is too deep is told once', (t) => {
  const lines = faultsOf(() => parse('['.repeat(100_000)));
  t.is(lines.length, 1);
  // Where is up to the machine.
  t.regex(lines[0] ?? '', /^agent\.yaml:1:\d+: lists and maps are nested too deeply$/);
});
test('aliases without end', refused, bomb(), [
  'agent.yaml:2:8: aliases stand for more than 100 others, expected the values themselves',
]);
test('a list in itself', refused, 'capture: {ports: &a [*a]}', [
  'agent.yaml:1: capture.ports is [a list], expected a list of at most 1024 ports from 1 to 65535',
]);

function bomb(): string {
  const nine = (name: string) => `[${Array(9).fill(`*${name}`).join(',')}]`;
  return `a: &a [${Array(9).fill('x').join(',')}]\nb: &b ${nine('a')}\nc: &c ${nine('b')}\nd: ${nine('c')}\n`;
}

test(
  'a controller without site and token',
  refused,
  'report:\n  controller: https://a.example',
  [
    'agent.yaml:2: report.controller needs a site: give it by the key site or by --site',
    'agent.yaml:2: report.controller needs a token: name its file by report.tokenFile, or put it into the environment as SLUICE_TOKEN',
  ],
);
test(
  'a token that would travel in clear',
  refused,
  'site: a\nreport:\n  controller: http://10.0.0.1:8080\n  token: abc',
  [
    'agent.yaml:3: report.controller is "http://10.0.0.1:8080", which sends the token in clear, expected https (or report.allowPlainHttp: true)',
  ],
);
test('a token twice', refused, 'report:\n  token: abc\n  tokenFile: /nowhere', [
  'agent.yaml:2: report.token and report.tokenFile are both given, expected one of them',
]);
test('a token with a space is not shown', refused, `report:\n  token: "${SECRET} x"`, [
  'agent.yaml:2: report.token is not shown, expected 1 to 4096 printable ASCII characters without spaces',
]);
test(
  "a controller's password is not shown",
  refused,
  'report:\n  controller: https://a:b@c',
  [
    'agent.yaml:2: report.controller is something with @, not shown, expected a URL with https or http, without user, query and fragment',
  ],
);
test(
  'no line of a text with a token is shown',
  refused,
  `report:\n  token ${SECRET}\n  windowMs: 5\n`,
  ['agent.yaml:2:3: no YAML: MULTILINE_IMPLICIT_KEY'],
);
test(
  "a controller's password is not shown in a list, either",
  refused,
  'report:\n  controller: [https://a:b@c]',
  [
    'agent.yaml:2: report.controller is something with @, not shown, expected a URL with https or http, without user, query and fragment',
  ],
);
// Such a map has no text: String() would throw on it.
for (const [what, text, found] of [
  ['a map', '{ toString: 0 }', 'a map'],
  ['a list of one', '[{ toString: 0 }]', '[a map]'],
] as const) {
  test(
    `${what} with a key toString for a controller`,
    refused,
    `report:\n  controller: ${text}`,
    [
      `agent.yaml:2: report.controller is ${found}, expected a URL with https or http, without user, query and fragment`,
    ],
  );
}
test('a token without its colon is not shown', refused, `report:\n  token ${SECRET}`, [
  'agent.yaml:1: report is a text, expected a map of keys',
]);
test('a token that looks like an alias is not shown', refused, 'report:\n  token: *abc', [
  'agent.yaml:2:10: no anchor of its name before this alias',
]);
test(
  "a token's file that there is not",
  refused,
  `${CONTROLLER}  tokenFile: /nowhere/token`,
  [
    'agent.yaml:4: report.tokenFile is "/nowhere/token", which cannot be read (ENOENT), expected a file with the token',
  ],
);
test(
  'a decision later than the end of every flow',
  refused,
  'flows:\n  activeTimeoutMs: 1000\ndecision:\n  afterMs: 1001',
  [
    'agent.yaml:4: decision.afterMs is 1001, expected at most flows.activeTimeoutMs, 1000: no flow lasts longer',
  ],
);
test('a queue shorter than a batch', refused, 'classify: {queueFlows: 31}', [
  'agent.yaml:1: classify.queueFlows is 31, expected at least classify.batchFlows, 32',
]);
test(
  'all faults, in the order of lines',
  refused,
  'classify:\n  queueFlows: 1\n  bundel: x\nsite: A\nreport:\n  controller: http://h\n',
  [
    'agent.yaml:2: classify.queueFlows is 1, expected at least classify.batchFlows, 32',
    'agent.yaml:3: unknown key "classify.bundel", did you mean "classify.bundle"?',
    'agent.yaml:4: site is "A", expected lower case letters, digits, - . and _, at most 63',
    'agent.yaml:6: report.controller needs a token: name its file by report.tokenFile, or put it into the environment as SLUICE_TOKEN',
    'agent.yaml:6: report.controller is "http://h", which sends the token in clear, expected https (or report.allowPlainHttp: true)',
  ],
);

test('a hundred faults are told, further ones counted', (t) => {
  const keys = Array.from({ length: 150 }, (_, i) => `unheard-of-${i}: 1`);
  const lines = faultsOf(() => parse(keys.join('\n')));
  t.is(lines.length, 101);
  t.is(lines.at(-1), 'and 50 more faults');
});

test('a controller of this machine may be reached by http', (t) => {
  for (const host of ['localhost', '127.0.0.1:80', '127.1', '[::1]:8080']) {
    const config = parse(`site: a\nreport: {controller: "http://${host}/", token: abc}`);
    t.is(config.report.token?.reveal(), 'abc', host);
  }
  const elsewhere =
    'site: a\nreport: {controller: "http://h/", token: a, allowPlainHttp: true}';
  t.is(parse(elsewhere).report.controller, 'http://h/');
});

test('an empty file is all defaults, those of the flow table among them', (t) => {
  const config = parse('');
  t.deepEqual(config, parse('# nothing\n'));
  t.deepEqual(config, parse('capture:\nreport:\n  # nothing\n'));
  t.deepEqual(config, loadConfig(undefined, ENV));
  t.deepEqual(config.decision, { packets: [10, 30, 100], afterMs: 2_000 });
  t.deepEqual(config.capture, {
    rings: 1,
    ringBlocks: 64,
    ringBlockBytes: 1_048_576,
    retireMs: 4,
    snapBytes: 9_216,
    promiscuous: false,
    ignoreOutgoing: false,
    protocols: ['tcp', 'udp'],
    ports: [],
    tunnels: ['gre', 'vxlan', 'gtpu', 'ipip'],
  });
  t.is(config.classify.bundle, SHIPPED_BUNDLE);
  t.is(config.report.token, undefined);
  t.deepEqual(config.warnings, []);
  const { maxFlows, poolBytes, ...timeouts } = completeOptions({});
  t.like(timeouts, {
    tcpIdleTimeoutMs: config.flows.tcpIdleTimeoutMs,
    udpIdleTimeoutMs: config.flows.udpIdleTimeoutMs,
    activeTimeoutMs: config.flows.activeTimeoutMs,
    closeLingerMs: config.flows.closeLingerMs,
  });
  t.is(maxFlows, config.flows.maxFlows);
  t.is(poolBytes, config.flows.poolBytes);
});

test('reports wait where systemd, XDG or the home directory say', (t) => {
  const directory = (env: Record<string, string>) =>
    parseConfig('', 'agent.yaml', env).report.spoolDirectory;
  const all = { HOME: '/home/u', XDG_STATE_HOME: '/s', STATE_DIRECTORY: '/var/lib/a:/b' };
  t.is(directory(all), '/var/lib/a');
  t.is(directory({ ...all, STATE_DIRECTORY: '' }), '/s/sluice/agent');
  t.is(
    directory({ HOME: '/home/u', XDG_STATE_HOME: 's' }),
    '/home/u/.local/state/sluice/agent',
  );
  t.is(directory({}), '/var/lib/sluice/agent');
});

test("relative paths are from the file's directory, chosen ones from the working directory", (t) => {
  const text =
    'classify: {bundle: b}\nreport: {caFile: ../ca.pem, spoolDirectory: s}\noutput: {predictions: ./none}';
  const { classify, report, output } = parseConfig(text, '/etc/sluice/agent.yaml', ENV);
  t.is(classify.bundle, '/etc/sluice/b');
  t.is(report.caFile, '/etc/ca.pem');
  t.is(report.spoolDirectory, '/etc/sluice/s');
  t.is(output.predictions, '/etc/sluice/none');
  const chosen = parseConfig(text, '/etc/sluice/agent.yaml', ENV, { bundle: 'c' });
  t.is(chosen.classify.bundle, resolve('c'));
});

test('what is chosen on the command line goes before the file, and mends it', (t) => {
  const text = 'interface: eth0\nsite: A\nreport: {windowMs: 5, token: abc}';
  const config = parse(text, {
    interface: 'eth1',
    site: 'b',
    windowMs: 2_000,
    controller: 'https://c',
    bundle: undefined,
  });
  t.is(config.interface, 'eth1');
  t.is(config.site, 'b');
  t.is(config.report.windowMs, 2_000);
  t.is(config.report.controller, 'https://c');
});

test('a wrong choice is told by its flag, as are the contradictions that it makes', (t) => {
  t.deepEqual(
    faultsOf(() =>
      parse('log: {level: x}', {
        windowMs: 1,
        bundle: '',
        controller: 'http://c',
        site: 'B',
      }),
    ),
    [
      '--site: site is "B", expected lower case letters, digits, - . and _, at most 63',
      '--bundle: classify.bundle is "", expected a path',
      '--window-ms: report.windowMs is 1, expected a whole number from 1000 to 86400000',
      '--controller: report.controller needs a token: name its file by report.tokenFile, or put it into the environment as SLUICE_TOKEN',
      '--controller: report.controller is "http://c", which sends the token in clear, expected https (or report.allowPlainHttp: true)',
      'agent.yaml:1: log.level is "x", expected one of trace, debug, info, warn, error, fatal, silent',
    ],
  );
  t.deepEqual(
    faultsOf(() => parse('report: 5', { windowMs: 5_000 })),
    ['agent.yaml:1: report is 5, expected a map of keys'],
  );
});

test('sections that are one by an alias stay two', (t) => {
  const config = parse('log: &a {}\nreport: *a', { windowMs: 5_000 });
  t.is(config.report.windowMs, 5_000);
});

function withFile(content: string | Uint8Array, use: (path: string) => void): void {
  const path = join(temporaryFolder('config'), 'file');
  writeFileSync(path, content, { mode: 0o600 });
  use(path);
}

test('the token is the first line of its file; one that others can read is warned of', (t) => {
  withFile(`  ${SECRET}\r\nnot this\n`, (path) => {
    const text = `${CONTROLLER}  tokenFile: ${path}\n`;
    const { report, warnings } = parse(text);
    t.is(report.token?.reveal(), SECRET);
    t.is(report.token?.source, 'tokenFile');
    t.deepEqual(warnings, []);
    chmodSync(path, 0o604);
    t.deepEqual(parse(text).warnings, [
      `${path} holds a token and can be read by every user of this machine: chmod o-r ${path}`,
    ]);
    t.is(
      parse('report: {token: abc}', { tokenFile: path }).report.token?.reveal(),
      SECRET,
    );
  });
  withFile('\nsecond line', (path) => {
    t.deepEqual(
      faultsOf(() => parse(`${CONTROLLER}  tokenFile: ${path}\n`)),
      [
        `agent.yaml:4: report.tokenFile is ${JSON.stringify(path)}, which has no token in its first line, expected 1 to 4096 printable ASCII characters without spaces`,
      ],
    );
  });
});

test('the token comes from the environment where nothing else gives one', (t) => {
  const env = { ...ENV, SLUICE_TOKEN: ` ${SECRET}\n`, OTHER: 'two words' };
  t.is(parseConfig(CONTROLLER, 'agent.yaml', env).report.token?.reveal(), SECRET);
  t.is(parseConfig('', 'agent.yaml', env).report.token, undefined);
  t.deepEqual(
    faultsOf(() => parseConfig(`${CONTROLLER}  tokenEnv: OTHER`, 'agent.yaml', env)),
    [
      'agent.yaml:4: report.tokenEnv is OTHER, which holds no token, expected 1 to 4096 printable ASCII characters without spaces',
    ],
  );
});

test('files that cannot be are told', (t) => {
  const load = (path: string) => faultsOf(() => loadConfig(path, ENV));
  t.deepEqual(load('/nowhere/agent.yaml'), [
    '/nowhere/agent.yaml: cannot be read (ENOENT), expected a YAML file',
  ]);
  t.deepEqual(load('/tmp'), ['/tmp: cannot be read (EISDIR), expected a YAML file']);
  t.deepEqual(load('/dev/zero'), [
    '/dev/zero: is longer than 1048576 bytes, expected a YAML file',
  ]);
  withFile(Uint8Array.of(0x61, 0xff), (path) => {
    t.deepEqual(load(path), [
      `${path}: cannot be read (it is not UTF-8), expected a YAML file`,
    ]);
  });
  withFile('\uFEFFsite: a\r\ninterface: eth0\r\n', (path) => {
    t.is(loadConfig(path, ENV).interface, 'eth0');
  });
});

test('a token is in nothing that is printed', (t) => {
  const text = `${CONTROLLER}  token: ${SECRET}\n`;
  const config = parse(text);
  for (const printed of [
    printConfig(config),
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    `${config.report.token}`,
  ]) {
    t.false(printed.includes(SECRET));
  }
  t.regex(printConfig(config), /^ {2}# token: <from token>$/m);
});

test('what is printed is the same configuration when read again', (t) => {
  withFile(SECRET, (path) => {
    const text = `interface: eth0\n${CONTROLLER}  tokenFile: ${path}\ncapture: {mtuBytes: 0, ports: [443, 853], tunnels: []}\n`;
    const config = parse(text);
    const printed = printConfig(config);
    t.regex(printed, /^ {2}# token: <from tokenFile>$/m);
    const again = parseConfig(printed, '/elsewhere/agent.yaml', {});
    t.deepEqual(again, config);
    t.is(again.report.token?.reveal(), SECRET);
    t.is(printConfig(again), printed);
  });
  const { report } = parse(CONTROLLER.replace('report:', 'report:\n  token: x'));
  t.is(report.token?.source, 'token');
});

const path = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => /^\P{Cc}+$/u.test(text) && !text.includes('\ufeff'));

test('a path that ends with a space that cannot be broken is printed whole', (t) => {
  const config = parse('classify: {bundle: "/a/b\\u00a0"}\n');
  t.is(config.classify?.bundle, '/a/b\u00a0');
  t.deepEqual(parse(printConfig(config)), config);
});

test('whatever the values, what is printed is read again', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        interface: fc.stringMatching(/^[a-z0-9.~#'"{}[\],&*!|>%@`-]{3,15}$/),
        site: fc.oneof(
          fc.stringMatching(/^[0-9e_.]{1,5}$/),
          fc.constantFrom('null', 'true', '0x10'),
        ),
        capture: fc.record({ ports: fc.array(fc.integer({ min: 1, max: 65_535 })) }),
        classify: fc.record({ bundle: path }),
        output: fc.record({ predictions: path, addresses: fc.boolean() }),
      }),
      (values) => {
        let config: AgentConfig;
        try {
          config = parseConfig(JSON.stringify(values), '/a/agent.yaml', ENV);
        } catch (fault) {
          // Drawn names that are none, such as "_".
          t.true(fault instanceof ConfigError);
          return;
        }
        t.deepEqual(parseConfig(printConfig(config), '/b/agent.yaml', ENV), config);
      },
    ),
  );
});

test('no text throws anything but a ConfigError', (t) => {
  const names = configWords().flatMap(({ name, keys }) => [
    ...(name === undefined ? [] : [name]),
    ...keys.map((key) => key.name),
  ]);
  const scrap = fc.oneof(
    fc.constantFrom(...names, '__proto__', 'toString'),
    fc.constantFrom(
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '!!set ',
      '? ',
    ),
    fc.constantFrom('"', "'", '|', '>', '#', '%YAML 1.1\n', '---\n', '<<: ', '\t', ', '),
    fc.constantFrom('1', '-1', '1e999', '.nan', '~', 'true', '0x1f', '2020-01-01'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const text = fc.array(scrap, { maxLength: 40 }).map((scraps) => scraps.join(''));
  fc.assert(
    fc.property(text, (drawn) => {
      t.true(
        faultsOf(() => parse(drawn)).every((line) => line.startsWith('agent.yaml:')),
        drawn,
      );
    }),
    { numRuns: 3_000 },
  );
});

test('a variable called like what every object has is not set', (t) => {
  t.deepEqual(
    faultsOf(() => parse(`${CONTROLLER}  tokenEnv: toString`)),
    [
      'agent.yaml:3: report.controller needs a token: name its file by report.tokenFile, or put it into the environment as toString',
    ],
  );
});

test('no value of a key throws anything but a ConfigError', (t) => {
  const keys = configWords().flatMap(({ name, keys: inner }) =>
    inner.map((key) => (name === undefined ? [key.name] : [name, key.name])),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.jsonValue(),
      ([outer = '', inner], value) => {
        const tree = { [outer]: inner === undefined ? value : { [inner]: value } };
        t.true(faultsOf(() => parse(JSON.stringify(tree))).length <= 1);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('every key has its words, and the JSON Schema has them, too', (t) => {
  const { $schema, properties } = configSchemaJson() as {
    $schema: string;
    properties: Record<string, { description: string; properties?: typeof properties }>;
  };
  t.is($schema, 'https://json-schema.org/draft/2020-12/schema');
  for (const { name, keys } of configWords()) {
    const inside = name === undefined ? properties : properties[name]?.properties;
    for (const key of keys) {
      const description = inside?.[key.name]?.description ?? '?';
      t.true(key.meaning.startsWith(description), key.name);
    }
  }
});

test('docs/agent-config.md is up to date; if not, `npm run -s docs`', (t) => {
  t.is(readFileSync(join(ROOT, 'docs/agent-config.md'), 'utf8'), configPage());
});
