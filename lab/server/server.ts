// The server process of a capture: every site on all its addresses and ports. Arguments: plan file, directory of
// certificates, path of the greeting socket.

import { constants, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { hostFiles } from '../certificates.ts';
import { framed } from '../framing.ts';
import type { CapturePlan, Host, Site } from '../plan.ts';
import { SERVER_PROFILES, type ServerProfile } from '../profiles.ts';
import { framedChannel, pushPieces } from './channel-server.ts';
import { Greetings } from './greetings.ts';
import { http1Server, http2Server, type Manner } from './http-server.ts';
import { FILLING } from './replies.ts';

const [planFile = '', certificates = '', greetingPath = ''] = process.argv.slice(2);
const TICKET_KEY_BYTES = 48;
const DNS_PORT = 53;

async function main(): Promise<void> {
  const plan: CapturePlan = JSON.parse(readFileSync(planFile, 'utf8'));
  const greetings = new Greetings();
  await greetings.listen(greetingPath);
  for (const [index, site] of plan.sites.entries()) {
    const hosts = plan.hosts.filter((host) => host.site === index);
    await serveSite({ plan, site, hosts, greetings });
  }
  if (plan.clearTraffic) await serveClear(plan);
  process.stderr.write('ready\n');
}

interface SiteSetup {
  readonly plan: CapturePlan;
  readonly site: Site;
  readonly hosts: readonly Host[];
  readonly greetings: Greetings;
}

async function serveSite({ plan, site, hosts, greetings }: SiteSetup): Promise<void> {
  const profile = SERVER_PROFILES.find(({ name }) => name === site.profile);
  if (profile === undefined) throw new RangeError(`no server profile "${site.profile}"`);
  const manner: Manner = {
    chunkBytes: profile.chunkBytes,
    hosts: new Map(hosts.map((host) => [host.name, host])),
  };
  const dispatch = dispatcher(manner, greetings);
  const options = tlsOptions(profile, hosts);
  for (const address of [site.ipv4, ...(site.ipv6 === undefined ? [] : [site.ipv6])]) {
    for (const port of plan.ports) {
      const server = createServer(options, dispatch);
      server.on('tlsClientError', () => {});
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: address, port, backlog: 256 }, resolve);
      });
    }
  }
}

function tlsOptions(profile: ServerProfile, hosts: readonly Host[]) {
  const common = {
    minVersion: 'TLSv1.2',
    maxVersion: profile.newest,
    ecdhCurve: profile.groups,
    secureOptions: profile.tickets ? 0 : constants.SSL_OP_NO_TICKET,
  } as const;
  const contexts = new Map<string, SecureContext>();
  for (const host of hosts) {
    const files = hostFiles(certificates, host);
    const pair = { cert: readFileSync(files.chain), key: readFileSync(files.key) };
    contexts.set(host.name, createSecureContext({ ...common, ...pair }));
  }
  // No certificate of its own: Node adds that of the name to it, and OpenSSL may then pick the wrong one.
  return {
    ...common,
    honorCipherOrder: profile.ownOrder,
    ticketKeys: randomBytes(TICKET_KEY_BYTES),
    ...(profile.alpn.length > 0 ? { ALPNProtocols: [...profile.alpn] } : {}),
    SNICallback: (
      name: string,
      done: (fault: Error | null, context?: SecureContext) => void,
    ): void => done(null, contexts.get(name)),
  };
}

/** Hands a connection to whoever speaks what was negotiated; without ALPN its first bytes tell. */
function dispatcher(manner: Manner, greetings: Greetings): (socket: TLSSocket) => void {
  const http1 = http1Server(manner);
  const http2 = http2Server(manner);
  return (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    if (socket.alpnProtocol === 'h2') http2.emit('connection', socket);
    else if (socket.alpnProtocol === 'http/1.1') http1.emit('connection', socket);
    else {
      const key = `${socket.remoteAddress} ${socket.remotePort}`;
      greetings.expect(key, (order) => {
        const send = (piece: Buffer): boolean => socket.write(framed(piece));
        void pushPieces({ send, gone: () => socket.destroyed }, order, 0);
      });
      socket.once('data', (first: Buffer) => {
        socket.pause();
        socket.unshift(first);
        // A length of four bytes is below 16 MiB: its first byte is 0, never a letter.
        if (first[0] === 0) framedChannel(socket);
        else http1.emit('connection', socket);
        socket.resume();
      });
    }
  };
}

/** Plain HTTP on port 80 and answers to datagrams on port 53, for flows without TLS. */
async function serveClear(plan: CapturePlan): Promise<void> {
  for (const { ipv4 } of plan.sites) {
    const http = createHttpServer((_, response) => {
      response.end(FILLING.subarray(0, 500 + Math.floor(Math.random() * 20_000)));
    });
    await new Promise<void>((resolve) => http.listen(80, ipv4, resolve));
    const names = createSocket('udp4', (query, from) => {
      const answer = Buffer.concat([
        query,
        FILLING.subarray(0, 40 + (query.byteLength % 90)),
      ]);
      names.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => names.bind(DNS_PORT, ipv4, resolve));
  }
}

// The end of standard input is the end of the run that started us.
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGINT', () => process.exit(0));
await main();
