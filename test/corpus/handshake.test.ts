// Hellos of real captures: against flows.tsv, what an independent dissector saw, and against tshark message by message.
// Captures and tshark are no part of the repository: without them these tests are skipped.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'ava';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';
import { tsharkVersion, tupleKey } from '../helpers/tshark.ts';
import { type HelloText, tsharkHellos } from '../helpers/tshark-hellos.ts';
import { tsvRows } from '../helpers/tsv.ts';

const FOLDERS = ['captures', 'captures-mobile'].map((name) =>
  join(ROOT, '../shared/corpus', name),
);
const absent = FOLDERS.filter((folder) => !existsSync(folder));
if (absent.length > 0) console.log(`skipped: no real captures at ${absent.join(', ')}`);
const version = tsharkVersion();
if (version === undefined) {
  console.log('skipped: tshark is not installed, apt-get install tshark');
}
const corpusTest = absent.length === 0 ? test : test.skip;
const tsharkTest = absent.length === 0 && version !== undefined ? test : test.skip;

const capturesOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name !== 'flows.tsv')
    .map((name) => join(folder, name));

interface SeenFlow {
  readonly file: string;
  readonly protocol: string;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly handshake: { readonly kind: string | null; readonly sni: string | null };
  readonly hellos: readonly {
    readonly kind: string;
    readonly bytes: number;
    readonly version: string;
    readonly cipherSuites: readonly string[];
    readonly alpn: readonly string[];
    readonly versions: readonly string[];
  }[];
}

let flows: Promise<readonly SeenFlow[]> | undefined;

/** All flows of both folders, once for all tests. */
function seenFlows(): Promise<readonly SeenFlow[]> {
  flows ??= sluice([
    'flows',
    '--json',
    '--handshake',
    ...FOLDERS.flatMap(capturesOf),
  ]).then(({ stdout }) => jsonLines(stdout) as unknown as SeenFlow[]);
  return flows;
}

interface KnownFlow {
  readonly file: string;
  readonly kind: string;
  readonly ports: string;
  readonly ends: string;
  readonly sni: string;
}

const ends = (a: string, aPort: unknown, b: string, bPort: unknown): string =>
  [`${a} ${aPort}`, `${b} ${bPort}`].sort().join(' ');
const ports = (a: unknown, b: unknown): string => [Number(a), Number(b)].sort().join(' ');

/** The flows of flows.tsv with a ClientHello, or a version of QUIC. */
function knownFlows(): KnownFlow[] {
  return FOLDERS.flatMap((folder) => tsvRows(join(folder, 'flows.tsv')))
    .filter((cell) => cell('has_client_hello') === '1' || cell('quic_version') !== '')
    .map((cell) => ({
      file: cell('file'),
      kind: cell('quic_version') === '' ? 'tls' : 'quic',
      ports: ports(cell('client_port'), cell('server_port')),
      ends: ends(
        cell('client'),
        cell('client_port'),
        cell('server'),
        cell('server_port'),
      ),
      sni: cell('sni'),
    }));
}

/** Why a flow of flows.tsv may not be found under its addresses. */
const MISSED: Readonly<Record<string, string>> = {
  'capwap_data.pcapng': 'CAPWAP is no tunnel that is opened',
};

corpusTest('hellos of flows.tsv are found, with the same server name', async (t) => {
  t.timeout(300_000);
  const seen = await seenFlows();
  const byEnds = new Set<string>();
  const byPorts = new Set<string>();
  for (const { file, client, clientPort, server, serverPort, handshake } of seen) {
    const named = `${basename(file)} ${handshake.kind} ${handshake.sni ?? ''}`;
    byEnds.add(`${named} ${ends(client, clientPort, server, serverPort)}`);
    byPorts.add(`${named} ${ports(clientPort, serverPort)}`);
  }
  for (const [kind, least] of [
    ['tls', 0.99],
    ['quic', 0.95],
  ] as const) {
    const known = knownFlows().filter((flow) => flow.kind === kind);
    let found = 0;
    for (const flow of known) {
      const named = `${flow.file} ${kind} ${flow.sni}`;
      if (byEnds.has(`${named} ${flow.ends}`)) {
        found++;
      } else if (byPorts.has(`${named} ${flow.ports}`)) {
        found++;
        t.log(`${named}: in a tunnel, under its inner addresses`);
      } else {
        t.log(`missed: ${named} ${flow.ends}: ${MISSED[flow.file] ?? 'no reason known'}`);
        t.true(flow.file in MISSED, flow.file);
      }
    }
    t.log(
      `${kind}: ${found} of ${known.length}, ${((100 * found) / known.length).toFixed(2)}%`,
    );
    t.true(found >= least * known.length);
  }
});

/** Flows of which tshark and we say different things, by file and ports, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  '4in6tunnel.pcap 443 64455':
    'tshark waits for a whole record; the capture ends before it does',
  'KakaoTalk_chat.pcap 35503 443':
    'a second SYN-ACK with other numbers: tshark takes what follows for a gap',
  'KakaoTalk_chat.pcap 5223 58964': 'port 5223 is XMPP for tshark',
  'KakaoTalk_talk.pcap 32968 8080': 'port 8080 is HTTP for tshark',
  'anydesk.pcapng 43535 80': 'port 80 is HTTP for tshark',
  'gnutella.pcap 50314 6888': 'port 6888 is BitTorrent for tshark',
  'ookla.pcap 35830 8080': 'port 8080 is HTTP for tshark',
  'capwap_data.pcapng 443 47025': 'CAPWAP is no tunnel that is opened',
  'openvpn.pcap 1194 39772': 'TLS inside of OpenVPN, whose headers cut it to pieces',
  'openvpn.pcap 1194 51146': 'TLS inside of OpenVPN over UDP is not looked for',
  'openvpn.pcap 443 60140':
    'TLS inside of OpenVPN on a port where tshark does not look for it',
  'openvpn_nohmac_tcp.pcapng 1194 39772':
    'TLS inside of OpenVPN, whose headers cut it to pieces',
  'quic-forcing-vn-with-data.pcapng 4433 55523':
    'tshark does not open the first packet, of a reserved version; its tag proves ours',
};

/** Hellos as one text each. */
function textsOf(hellos: readonly HelloText[]): Set<string> {
  return new Set(hellos.map((hello) => JSON.stringify(hello)));
}

function ourHellos(flow: SeenFlow): HelloText[] {
  return flow.hellos
    .filter(({ kind }) => kind !== 'chlo')
    .map((hello) => ({
      type: hello.kind === 'client' ? 'client' : 'server',
      // tshark does not count the header.
      bytes: hello.bytes - 4,
      version: hello.version,
      cipherSuites: hello.cipherSuites,
      sni: hello.kind === 'client' ? (flow.handshake.sni ?? '') : '',
      alpn: hello.alpn,
      versions: hello.versions,
    }));
}

/** Our hellos by file, then by five-tuple. */
async function ourHellosByFile(): Promise<Map<string, Map<string, HelloText[]>>> {
  const files = new Map<string, Map<string, HelloText[]>>();
  for (const flow of await seenFlows()) {
    const { file, protocol, client, clientPort, server, serverPort } = flow;
    const key = tupleKey(protocol, [client, clientPort], [server, serverPort]);
    const tuples = files.get(file) ?? new Map<string, HelloText[]>();
    files.set(file, tuples.set(key, [...(tuples.get(key) ?? []), ...ourHellos(flow)]));
  }
  return files;
}

interface Comparison {
  readonly equal: number;
  /** Ports of the flow, and who alone says what. */
  readonly different: readonly { readonly ports: string; readonly text: string }[];
}

function compare(
  ours: ReadonlyMap<string, readonly HelloText[]>,
  theirs: ReadonlyMap<string, readonly HelloText[]>,
): Comparison {
  let equal = 0;
  const different: { ports: string; text: string }[] = [];
  for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
    const own = textsOf(ours.get(key) ?? []);
    const other = textsOf(theirs.get(key) ?? []);
    const [, , aPort, , bPort] = key.split(' ');
    for (const text of new Set([...own, ...other])) {
      if (own.has(text) && other.has(text)) equal++;
      else {
        const who = own.has(text) ? 'sluice' : 'tshark';
        different.push({ ports: ports(aPort, bPort), text: `only ${who} says ${text}` });
      }
    }
  }
  return { equal, different };
}

tsharkTest(
  'lengths, versions, suites, names and ALPN of every hello are those that tshark reads',
  async (t) => {
    t.timeout(900_000);
    const ours = await ourHellosByFile();
    const explained = new Map<string, number>();
    let equal = 0;
    const queue = FOLDERS.flatMap(capturesOf);
    const worker = async (): Promise<void> => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        const comparison = compare(ours.get(file) ?? new Map(), await tsharkHellos(file));
        equal += comparison.equal;
        for (const { ports, text } of comparison.different) {
          const name = `${basename(file)} ${ports}`;
          t.true(name in DIFFERENT, `${name}: ${text}`);
          explained.set(name, (explained.get(name) ?? 0) + 1);
        }
      }
    };
    await Promise.all([worker(), worker()]);
    for (const [name, count] of explained) t.log(`${name}, ${count}: ${DIFFERENT[name]}`);
    t.log(`tshark ${version}: ${equal} hellos equal`);
    t.true(equal > 0);
  },
);
