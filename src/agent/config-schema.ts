// The configuration of the agent: the one schema behind type, validation, defaults, comments, documentation and JSON Schema.

import { z } from 'zod';
import {
  FLOW_TABLE_BOUNDS,
  FLOW_TABLE_DEFAULTS,
  MTU_LEAST,
  PORTS_MAX,
  READY_STEPS_MAX,
} from '../flow/flow-table.ts';
import { LIVE_DEFAULTS, RINGS_MAX } from '../flow/live-flows.ts';
import { TUNNELS } from '../flow/tunnels.ts';
import { siteNameSchema } from '../report/report.ts';
import { flag, key, section, whole } from './config-key.ts';

const PORT_MAX = 65_535;
const DAY_MS = 86_400_000;
const PATH_MAX = 4_095;
const PROTOCOLS = ['tcp', 'udp'] as const;
const LOG_LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
] as const;

/** Goes into a header of HTTP as it is. */
export const tokenSchema = z.string().regex(/^[\x21-\x7e]{1,4096}$/);
export const TOKEN_EXPECTED = '1 to 4096 printable ASCII characters without spaces';

const path = z
  .string()
  .max(PATH_MAX)
  .regex(/^\P{Cc}+$/u);
/** 42 bytes in base64, the first two of which are "Ed". */
const PUBLIC_KEY = /^RW[A-Za-z0-9+/]{54}$/;
const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));
const rises = (steps: readonly number[]): boolean =>
  steps.every((step, i) => step > (steps[i - 1] ?? 0));

const interfaceKey = key(z.string().regex(/^(?!\.{1,2}$)[^\s\p{Cc}/:]{1,15}$/u), {
  meaning: 'The interface to listen to.',
  expected: "an interface's name, at most 15 characters",
  absent: 'that of the command line',
});

const siteKey = key(siteNameSchema, {
  meaning: 'Name of this site in reports; needed where there is a controller.',
  expected: 'lower case letters, digits, - . and _, at most 63',
  absent: 'none',
});

const capture = section('How packets are taken from the interface.', {
  rings: whole(
    LIVE_DEFAULTS.rings,
    [1, RINGS_MAX],
    'Rings among which the kernel deals the flows, each with a thread.',
  ),
  ringBlocks: whole(LIVE_DEFAULTS.blocks, [2, 65_536], 'Blocks of each ring.'),
  ringBlockBytes: key(
    z
      .number()
      .int()
      .min(4_096)
      .max(2 ** 30)
      .refine(isPowerOfTwo)
      .default(LIVE_DEFAULTS.blockBytes),
    {
      meaning:
        'Size of a block. Memory of all rings: rings x ringBlocks x ringBlockBytes.',
      expected: `a power of two from 4096 to ${2 ** 30}`,
    },
  ),
  retireMs: whole(
    LIVE_DEFAULTS.retireMs,
    [1, 1_000],
    'A block with packets in it is handed over after so long, full or not.',
  ),
  snapBytes: whole(LIVE_DEFAULTS.snapBytes, [64, 262_144], 'Kept of each packet.'),
  promiscuous: flag(
    LIVE_DEFAULTS.promiscuous,
    'Also packets that are not for this machine.',
  ),
  ignoreOutgoing: flag(
    LIVE_DEFAULTS.ignoreOutgoing,
    'Without the packets that this machine sends.',
  ),
  protocols: key(
    z
      .array(z.enum(PROTOCOLS))
      .min(1)
      .default([...PROTOCOLS]),
    {
      meaning: 'Protocols that are captured.',
      expected: `a list of ${PROTOCOLS.join(', ')} or both`,
    },
  ),
  ports: key(z.array(z.number().int().min(1).max(PORT_MAX)).max(PORTS_MAX).default([]), {
    meaning: 'Only flows with one of these ports at either end; empty: all.',
    expected: `a list of at most ${PORTS_MAX} ports from 1 to ${PORT_MAX}`,
  }),
  tunnels: key(z.array(z.enum(TUNNELS)).default([...TUNNELS]), {
    meaning: 'Tunnels that are looked into; a flow is one of the innermost packets.',
    expected: `a list of some of ${TUNNELS.join(', ')}`,
  }),
  mtuBytes: key(z.union([z.literal(0), z.number().int().min(MTU_LEAST).max(PORT_MAX)]), {
    meaning:
      'Longer TCP packets were joined by an offload, and are split again for the model; 0: they are left as they are.',
    expected: `0 or a whole number from ${MTU_LEAST} to ${PORT_MAX}`,
    absent: "the interface's",
  }),
});

const flowKey = (
  name: keyof typeof FLOW_TABLE_BOUNDS & keyof typeof FLOW_TABLE_DEFAULTS,
  meaning: string,
) => whole(FLOW_TABLE_DEFAULTS[name], FLOW_TABLE_BOUNDS[name], meaning);

const flows = section('How packets become flows; memory is that of all rings together.', {
  maxFlows: flowKey(
    'maxFlows',
    'Flows at a time; a further one pushes out one that was silent for long.',
  ),
  poolBytes: flowKey('poolBytes', 'Memory for what is kept of the packets of all flows.'),
  tcpIdleTimeoutMs: flowKey('tcpIdleTimeoutMs', 'A TCP flow ends after such a silence.'),
  udpIdleTimeoutMs: flowKey('udpIdleTimeoutMs', 'A UDP flow ends after such a silence.'),
  activeTimeoutMs: flowKey(
    'activeTimeoutMs',
    'A flow that goes on for longer is cut: what follows is another flow.',
  ),
  closeLingerMs: flowKey(
    'closeLingerMs',
    'A closed flow waits so long for the last ACKs.',
  ),
});

const decision = section('When a flow is classified; at its end it is in any case.', {
  packets: key(
    z
      .array(z.number().int().min(1).max(PORT_MAX))
      .min(1)
      .max(READY_STEPS_MAX)
      .refine(rises)
      .default([10, 30, 100]),
    {
      meaning: 'Once it has so many packets, at each of these steps.',
      expected: `1 to ${READY_STEPS_MAX} whole numbers from 1 to ${PORT_MAX}, each greater than the one before`,
    },
  ),
  afterMs: whole(
    2_000,
    FLOW_TABLE_BOUNDS.readyAfterMs,
    'And after so long, if it has not been by then; 0: never.',
  ),
});

const classify = section('The model and its queue.', {
  bundle: key(path, {
    meaning: 'Directory or archive of the model.',
    expected: 'a path',
    absent: 'the one that comes with the program',
  }),
  trustedKeys: key(z.array(z.string().regex(PUBLIC_KEY)).max(64).default([]), {
    meaning:
      'Public keys of minisign: a bundle that did not come with the program is taken when one of them has signed it.',
    expected: 'a list of at most 64 keys, each 56 characters that begin with RW',
  }),
  allowUnsigned: flag(
    false,
    'Also take a bundle that nobody signed, or somebody unknown.',
  ),
  batchFlows: whole(32, [1, 1_024], 'Flows that the model is given at a time, at most.'),
  batchWaitMs: whole(50, [0, 60_000], 'A flow waits so long for others, at most.'),
  queueFlows: whole(
    4_096,
    [1, 2 ** 20],
    'Flows that wait for the model, at most; further ones are given up, and counted.',
  ),
});

const report = section('What is told to a controller: counts by class, no addresses.', {
  windowMs: whole(60_000, [1_000, DAY_MS], 'A report is of so long.'),
  controller: key(z.url({ protocol: /^https?$/, hostname: /./ }).regex(/^[^@?#\s]*$/), {
    meaning: 'URL of the controller.',
    expected: 'a URL with https or http, without user, query and fragment',
    absent: 'nothing is reported',
  }),
  allowPlainHttp: flag(
    false,
    'Also by http to another machine, where everyone on the way can read the token.',
  ),
  token: key(tokenSchema, {
    meaning:
      'What the controller knows this site by. Better left to tokenFile: who may read this file can report in its name.',
    expected: TOKEN_EXPECTED,
    absent: 'that of tokenFile, else of tokenEnv',
  }),
  tokenFile: key(path, {
    meaning: 'The first line of this file is the token.',
    expected: 'a path',
    absent: 'none',
  }),
  tokenEnv: key(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .default('SLUICE_TOKEN'),
    {
      meaning: 'Name of the environment variable that holds the token.',
      expected: "an environment variable's name",
    },
  ),
  caFile: key(path, {
    meaning:
      "Certificates (PEM) that the controller's is checked by, instead of the usual ones.",
    expected: 'a path',
    absent: 'those of Node',
  }),
  spoolDirectory: key(path, {
    meaning: 'Reports wait here until the controller has taken them.',
    expected: 'a path',
    absent:
      "systemd's $STATE_DIRECTORY, else $XDG_STATE_HOME/sluice/agent, else ~/.local/state/sluice/agent",
  }),
  spoolMaxBytes: whole(
    64 * 2 ** 20,
    [2 ** 20, 2 ** 40],
    'What waits takes so much, at most; the oldest goes first.',
  ),
});

const output = section('What is written on this machine.', {
  predictions: key(path.default('none'), {
    meaning: 'Where predictions go as JSON lines: none, stdout or the path of a file.',
    expected: 'none, stdout or a path',
  }),
  addresses: flag(false, 'Whether these lines hold addresses and ports.'),
});

const log = section('What is logged, to stderr.', {
  level: key(z.enum(LOG_LEVELS).default('info'), {
    meaning: 'The least of what is logged.',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
  }),
});

export const configSchema = z.strictObject({
  interface: interfaceKey,
  site: siteKey,
  capture,
  flows,
  decision,
  classify,
  report,
  output,
  log,
});

/** As a file says it, with the defaults that depend on no machine. */
export type FileSettings = z.output<typeof configSchema>;
