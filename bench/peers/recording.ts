// Real TLS bytes: a client and a server of node:tls talk over a pair of streams in this process, and what each puts on
// the stream is kept. Flows of the bench captures are cut from it.

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { connect, createSecureContext, type SecureVersion, TLSSocket } from 'node:tls';
import {
  hostFiles,
  makeAuthority,
  makeLeaves,
  rootFile,
} from '../../lab/certificates.ts';
import type { Draw } from '../../lab/draw.ts';
import type { Host } from '../../lab/plan.ts';

/** Up is client to server. */
export type Way = 'up' | 'down';

/** Bytes that one side sends before the other answers. */
export interface Turn {
  readonly way: Way;
  readonly bytes: Uint8Array;
}

/** One TLS connection, from its first byte on. */
export interface Recording {
  readonly version: string;
  /** Hellos to session tickets. */
  readonly handshake: readonly Turn[];
  /** Application data records of the client's request. */
  readonly request: Uint8Array;
  /** Application data records of the server, many. */
  readonly reply: Uint8Array;
}

interface Kind {
  readonly version: SecureVersion;
  readonly certificate: Host['certificate'];
  readonly alpn: string;
}

const KINDS: readonly Kind[] = [
  { version: 'TLSv1.3', certificate: 'p256-chain', alpn: 'h2' },
  { version: 'TLSv1.3', certificate: 'rsa2048-chain', alpn: 'http/1.1' },
  { version: 'TLSv1.3', certificate: 'p256', alpn: 'h2' },
  { version: 'TLSv1.2', certificate: 'rsa2048', alpn: 'http/1.1' },
];
const REQUEST_BYTES = 420;
/** More than any flow sends before it starts again at the first record. */
const REPLY_BYTES = 512 * 1024;
const RECORD_BYTES_MEDIAN = 2800;
const RECORD_BYTES_SIGMA = 1;
const RECORD_BYTES: readonly [number, number] = [60, 16_384];
const FLUSH_MS = 2;

const WORDS = ['static', 'media', 'account', 'login', 'images', 'market', 'weather'];

/** What the recordings are, in words. */
export const RECORDED = `${KINDS.length} TLS connections recorded between two node:tls endpoints (${KINDS.map(({ version, certificate }) => `${version} ${certificate}`).join(', ')})`;

/**
 * Records one connection of each kind; the certificates last as long as the call.
 *
 * @throws InputError ERR_LAB_TOOL without the openssl program.
 */
export async function recordConnections(draw: Draw): Promise<Recording[]> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-peers-tls-'));
  try {
    const hosts = KINDS.map(({ certificate }) => hostOf(certificate, draw));
    await makeAuthority(directory);
    await makeLeaves(directory, hosts);
    const recordings: Recording[] = [];
    for (const [i, kind] of KINDS.entries()) {
      const host = hosts[i];
      if (host !== undefined) {
        recordings.push(await recordOne(directory, { kind, host, draw }));
      }
    }
    return recordings;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function hostOf(certificate: Host['certificate'], draw: Draw): Host {
  const name = `${draw.pick(WORDS)}-${draw.pick(WORDS)}.example.net`;
  const otherNames = Array.from({ length: 6 }, () => `${draw.token(7)}.example.net`);
  return {
    name,
    certificate,
    otherNames,
    site: 0,
    latencyMs: 0,
    headerBytes: 0,
    cookieBytes: 0,
  };
}

type Phase = 'handshake' | 'request' | 'reply';

async function recordOne(
  directory: string,
  { kind, host, draw }: { kind: Kind; host: Host; draw: Draw },
): Promise<Recording> {
  const kept = {
    handshake: [] as Turn[],
    request: [] as Buffer[],
    reply: [] as Buffer[],
  };
  let phase: Phase = 'handshake';
  const [client, clientWire] = duplexPair();
  const [server, serverWire] = duplexPair();
  clientWire.on('data', (bytes: Buffer) => {
    if (phase === 'request') kept.request.push(bytes);
    else kept.handshake.push({ way: 'up', bytes });
    serverWire.write(bytes);
  });
  serverWire.on('data', (bytes: Buffer) => {
    if (phase === 'reply') kept.reply.push(bytes);
    else kept.handshake.push({ way: 'down', bytes });
    clientWire.write(bytes);
  });

  const files = hostFiles(directory, host);
  const secureContext = createSecureContext({
    cert: await readFile(files.chain),
    key: await readFile(files.key),
    maxVersion: kind.version,
  });
  const serverEnd = new TLSSocket(server, {
    isServer: true,
    secureContext,
    ALPNProtocols: [kind.alpn],
  });
  const clientEnd = connect({
    socket: client,
    servername: host.name,
    ca: await readFile(rootFile(directory)),
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  serverEnd.resume();
  await Promise.all([once(serverEnd, 'secure'), once(clientEnd, 'secureConnect')]);
  await quiet();
  phase = 'request';
  const asked = once(serverEnd, 'data');
  clientEnd.write(Buffer.alloc(REQUEST_BYTES, draw.token(60)));
  await asked;
  await quiet();
  phase = 'reply';
  clientEnd.resume();
  await reply(serverEnd, draw);
  await quiet();
  const version = clientEnd.getProtocol() ?? kind.version;
  clientEnd.destroy();
  serverEnd.destroy();
  return {
    version,
    handshake: joined(kept.handshake),
    request: Buffer.concat(kept.request),
    reply: Buffer.concat(kept.reply),
  };
}

/** Writes replies of drawn sizes, a record each. */
async function reply(server: TLSSocket, draw: Draw): Promise<void> {
  for (let sent = 0; sent < REPLY_BYTES; ) {
    const length = draw.bytes(RECORD_BYTES_MEDIAN, RECORD_BYTES_SIGMA, RECORD_BYTES);
    await new Promise((resolve) => server.write(Buffer.alloc(length, 1), resolve));
    sent += length;
  }
}

/** Both ends work without a clock: what is under way has arrived after a few turns of the event loop. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
}

/** Neighbours that go the same way as one turn. */
function joined(turns: readonly Turn[]): Turn[] {
  const all: Turn[] = [];
  for (const turn of turns) {
    const last = all.at(-1);
    if (last?.way !== turn.way) all.push(turn);
    else
      all[all.length - 1] = { ...turn, bytes: Buffer.concat([last.bytes, turn.bytes]) };
  }
  return all;
}
