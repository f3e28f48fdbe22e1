// The kinds of clients, servers and lines that a capture is made of. None belongs to a class: plan.ts crosses them
// over all classes, so that nothing in a handshake names one.

/** What a client offers in ALPN, or a server accepts; empty is none at all. */
type Alpn = readonly ('h2' | 'http/1.1')[];
/** What both agreed on. */
export type Negotiated = 'h2' | 'http/1.1' | 'none';

/** One client program: how it speaks TLS and how chatty its requests are. */
export interface ClientProfile {
  readonly name: string;
  readonly versions: readonly ['TLSv1.2' | 'TLSv1.3', 'TLSv1.2' | 'TLSv1.3'];
  readonly alpn: Alpn;
  /** OpenSSL's list of groups; the first one gets the key share. */
  readonly groups: string;
  /** OpenSSL's list of cipher suites; undefined takes Node's own. */
  readonly ciphers?: string;
  readonly signatures?: string;
  /** How often a session that can be resumed is. */
  readonly resumption: number;
  readonly tickets: boolean;
  /** Bytes of request headers that say nothing: agent, accepted types, languages. */
  readonly headerBytes: number;
}

const ECDHE = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';
const CHACHA_FIRST =
  'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:' +
  'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';

export const CLIENT_PROFILES: readonly ClientProfile[] = [
  {
    name: 'amber',
    versions: ['TLSv1.2', 'TLSv1.3'],
    alpn: ['h2', 'http/1.1'],
    groups: 'X25519:P-256:P-384',
    resumption: 0.6,
    tickets: true,
    headerBytes: 480,
  },
  {
    name: 'basalt',
    versions: ['TLSv1.2', 'TLSv1.3'],
    alpn: ['h2', 'http/1.1'],
    groups: 'X25519:P-256',
    ciphers: `${CHACHA_FIRST}:${ECDHE}:AES128-GCM-SHA256`,
    signatures: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256',
    resumption: 0.3,
    tickets: true,
    headerBytes: 260,
  },
  {
    name: 'cedar',
    versions: ['TLSv1.2', 'TLSv1.2'],
    alpn: ['h2', 'http/1.1'],
    groups: 'P-256:X25519:P-384',
    ciphers: `${ECDHE}:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384`,
    resumption: 0.5,
    tickets: true,
    headerBytes: 350,
  },
  {
    name: 'delta',
    versions: ['TLSv1.2', 'TLSv1.3'],
    alpn: ['http/1.1'],
    groups: 'P-256:P-384:X25519',
    resumption: 0.2,
    tickets: true,
    headerBytes: 120,
  },
  {
    name: 'ember',
    versions: ['TLSv1.2', 'TLSv1.2'],
    alpn: ['http/1.1'],
    groups: 'P-256:P-384:P-521',
    ciphers: `ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:${ECDHE}`,
    resumption: 0.4,
    tickets: false,
    headerBytes: 420,
  },
  {
    name: 'flint',
    versions: ['TLSv1.3', 'TLSv1.3'],
    alpn: [],
    groups: 'X25519:X448:P-256',
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
    resumption: 0.3,
    tickets: true,
    headerBytes: 90,
  },
  {
    name: 'garnet',
    versions: ['TLSv1.2', 'TLSv1.3'],
    alpn: [],
    groups: 'P-256:X25519',
    signatures:
      'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256:rsa_pkcs1_sha256:rsa_pkcs1_sha512',
    resumption: 0.5,
    tickets: true,
    headerBytes: 200,
  },
  {
    name: 'hazel',
    versions: ['TLSv1.2', 'TLSv1.2'],
    alpn: [],
    groups: 'X25519:P-256',
    ciphers: `${ECDHE}:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305`,
    resumption: 0,
    tickets: false,
    headerBytes: 310,
  },
];

/** One server program; every address of a capture runs one of these. */
export interface ServerProfile {
  readonly name: string;
  readonly newest: 'TLSv1.2' | 'TLSv1.3';
  readonly alpn: Alpn;
  readonly groups: string;
  readonly ownOrder: boolean;
  readonly tickets: boolean;
  /** Bytes handed to TLS in one write of a body. */
  readonly chunkBytes: number;
}

export const SERVER_PROFILES: readonly ServerProfile[] = [
  {
    name: 'north',
    newest: 'TLSv1.3',
    alpn: ['h2', 'http/1.1'],
    groups: 'X25519:P-256:P-384',
    ownOrder: true,
    tickets: true,
    chunkBytes: 16_384,
  },
  {
    name: 'east',
    newest: 'TLSv1.3',
    alpn: ['h2', 'http/1.1'],
    groups: 'X25519:P-256',
    ownOrder: false,
    tickets: true,
    chunkBytes: 65_536,
  },
  {
    name: 'south',
    newest: 'TLSv1.3',
    alpn: ['http/1.1'],
    groups: 'P-256:X25519:P-384',
    ownOrder: true,
    tickets: false,
    chunkBytes: 8192,
  },
  {
    name: 'west',
    newest: 'TLSv1.3',
    alpn: [],
    groups: 'X25519:P-256:P-384:X448',
    ownOrder: true,
    tickets: true,
    chunkBytes: 32_768,
  },
  {
    name: 'upper',
    newest: 'TLSv1.3',
    alpn: ['h2', 'http/1.1'],
    groups: 'P-256:X25519',
    ownOrder: true,
    tickets: true,
    chunkBytes: 4096,
  },
  {
    name: 'lower',
    newest: 'TLSv1.2',
    alpn: ['h2', 'http/1.1'],
    groups: 'X25519:P-256:P-384',
    ownOrder: true,
    tickets: true,
    chunkBytes: 16_384,
  },
];

/** What the two will agree on; `undefined` when the handshake would fail. */
export function negotiated(
  client: ClientProfile,
  server: ServerProfile,
): Negotiated | undefined {
  if (client.versions[0] > server.newest) return undefined;
  if (client.alpn.length === 0 || server.alpn.length === 0) return 'none';
  return server.alpn.find((protocol) => client.alpn.includes(protocol));
}

/** One access line; a capture has one. Round trips are those of queues alone: no delay is added (docs/lab.md). */
export interface NetworkProfile {
  readonly downMbit: number;
  readonly upMbit: number;
  readonly mtu: number;
  readonly queueKiB: number;
  readonly congestion: 'bbr' | 'cubic' | 'reno';
  /** Which side of the router is captured: before or behind the line's queue. */
  readonly tap: 'lan' | 'wan';
}

export const NETWORK_PROFILES: readonly NetworkProfile[] = [
  { downMbit: 50, upMbit: 10, mtu: 1500, queueKiB: 256, congestion: 'cubic', tap: 'lan' },
  { downMbit: 20, upMbit: 5, mtu: 1492, queueKiB: 128, congestion: 'bbr', tap: 'lan' },
  { downMbit: 100, upMbit: 40, mtu: 1500, queueKiB: 512, congestion: 'bbr', tap: 'wan' },
  { downMbit: 8, upMbit: 2, mtu: 1492, queueKiB: 64, congestion: 'cubic', tap: 'lan' },
  { downMbit: 30, upMbit: 30, mtu: 1400, queueKiB: 192, congestion: 'reno', tap: 'wan' },
  {
    downMbit: 100,
    upMbit: 100,
    mtu: 1500,
    queueKiB: 256,
    congestion: 'cubic',
    tap: 'lan',
  },
  { downMbit: 16, upMbit: 3, mtu: 1400, queueKiB: 96, congestion: 'bbr', tap: 'lan' },
  { downMbit: 40, upMbit: 8, mtu: 1492, queueKiB: 384, congestion: 'reno', tap: 'lan' },
  { downMbit: 75, upMbit: 20, mtu: 1500, queueKiB: 320, congestion: 'bbr', tap: 'wan' },
  { downMbit: 25, upMbit: 6, mtu: 1500, queueKiB: 160, congestion: 'cubic', tap: 'lan' },
  { downMbit: 12, upMbit: 12, mtu: 1492, queueKiB: 96, congestion: 'reno', tap: 'wan' },
  { downMbit: 80, upMbit: 10, mtu: 1400, queueKiB: 448, congestion: 'cubic', tap: 'lan' },
  { downMbit: 35, upMbit: 7, mtu: 1500, queueKiB: 224, congestion: 'bbr', tap: 'lan' },
  { downMbit: 100, upMbit: 20, mtu: 1492, queueKiB: 320, congestion: 'reno', tap: 'lan' },
  { downMbit: 10, upMbit: 4, mtu: 1500, queueKiB: 64, congestion: 'bbr', tap: 'wan' },
  { downMbit: 22, upMbit: 9, mtu: 1492, queueKiB: 128, congestion: 'cubic', tap: 'lan' },
];

/** The demo's own line: in no capture of the data set. */
export const NETWORK_DEMO: NetworkProfile = {
  downMbit: 60,
  upMbit: 15,
  mtu: 1480,
  queueKiB: 256,
  congestion: 'cubic',
  tap: 'lan',
};
