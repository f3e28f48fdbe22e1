// The programs that are compared: how each is told to read a capture at least cost, and how to get it.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SLUICE = fileURLToPath(new URL('../../src/bin/sluice.js', import.meta.url));

/** What a command line is made for. */
interface Target {
  readonly capture: string;
  /** An empty directory of its own. */
  readonly directory: string;
  /** Of a UDP socket on loopback that takes in what is sent. */
  readonly sinkPort: number;
}

export interface Tool {
  /** Stands in the table. */
  readonly name: string;
  readonly command: (target: Target) => readonly string[];
  /** Prints the version; the first group of `version` is it. */
  readonly ask: readonly string[];
  readonly version: RegExp;
  readonly does: string;
  readonly install: string;
}

/** Ours; all others are measured against it. */
export const OURS = 'sluice';

export const TOOLS: readonly Tool[] = [
  {
    name: OURS,
    command: ({ capture }) => [process.execPath, SLUICE, 'flows', '--summary', capture],
    ask: [process.execPath, SLUICE, '--version'],
    version: /^(\S+)/,
    does: 'flow table: counters of every flow; no series, payload, handshake or model',
    install: 'npm run build && npm run build:native',
  },
  {
    name: 'sluice --json',
    command: ({ capture }) => [process.execPath, SLUICE, 'flows', '--json', capture],
    ask: [process.execPath, SLUICE, '--version'],
    version: /^(\S+)/,
    does: 'the same with 128 packets and 16 KiB of payload each way, and a JSON line with what the handshake says',
    install: 'npm run build && npm run build:native',
  },
  {
    name: 'tcpdump',
    command: ({ capture }) => ['tcpdump', '-r', capture, '-w', '/dev/null'],
    ask: ['tcpdump', '--version'],
    version: /tcpdump version (\S+)/,
    does: 'copies packets to /dev/null, looks into none',
    install: 'apt-get install tcpdump',
  },
  {
    name: 'ndpiReader',
    command: ({ capture }) => ['ndpiReader', '-i', capture, '-q'],
    ask: ['ndpiReader', '-h'],
    version: /nDPI (\S+)/,
    does: 'flow table and nDPI: protocol, handshake fields, risks of every flow; prints the totals',
    install: 'apt-get install libndpi-bin',
  },
  {
    name: 'softflowd',
    command: ({ capture, directory, sinkPort }) => [
      ...['softflowd', '-d', '-r', capture, '-n', `127.0.0.1:${sinkPort}`],
      // As many flows as sluice holds; its own default of 8,192 would push flows out early.
      ...['-m', '65536', '-p', `${directory}/pid`, '-c', 'none'],
    ],
    ask: ['softflowd', '-h'],
    version: /softflowd version (\S+?)\.?\s/,
    does: 'flow table: counters; sends NetFlow v5 to a socket on loopback',
    install: 'apt-get install softflowd',
  },
  {
    name: 'nfpcapd',
    command: ({ capture, directory }) => ['nfpcapd', '-r', capture, '-w', directory],
    ask: ['nfpcapd', '-V'],
    version: /Version: (\S+)/,
    does: 'flow table: counters; writes nfdump files',
    install: 'apt-get install nfdump',
  },
];

/** The tool's version; undefined when it cannot be started, 'unknown' when it does not tell. */
export function versionOf(tool: Tool): Promise<string | undefined> {
  const [command = '', ...args] = tool.ask;
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 10_000 }, (fault, stdout, stderr) => {
      if (fault?.code === 'ENOENT') resolve(undefined);
      else resolve(tool.version.exec(`${stdout}\n${stderr}`)?.[1] ?? 'unknown');
    });
  });
}
