// Opens the TLS connections of one session and writes a label for each.

import { constants } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Draw } from '../draw.ts';
import type { FlowLabel, Transport } from '../labels.ts';
import type { ClientAddress, Host, Site } from '../plan.ts';
import type { ClientProfile, Negotiated } from '../profiles.ts';

const HANDSHAKE_TIMEOUT_MS = 15_000;

/** TLS sessions that can be resumed, by profile and host; one for the whole capture. */
export type TicketBox = Map<string, Buffer>;

/** What is the same for all connections of a session. */
export interface SessionFacts {
  readonly label: Pick<FlowLabel, 'service' | 'session' | 'capture' | 'seed'>;
  readonly profile: ClientProfile;
  readonly address: ClientAddress;
  readonly port: number;
  readonly preferIpv6: boolean;
}

/** What the connector needs of the world around. */
export interface ConnectorSetup {
  readonly facts: SessionFacts;
  readonly draw: Draw;
  readonly ca: Buffer;
  readonly tickets: TicketBox;
  readonly siteOf: (host: Host) => Site;
  readonly record: (label: FlowLabel, host: Host) => void;
  /** Tells the server to speak first on the connection of that address and port. */
  readonly greet: (line: string) => void;
  readonly signal: AbortSignal;
}

export class Connector {
  readonly facts: SessionFacts;
  readonly draw: Draw;
  readonly #setup: ConnectorSetup;
  readonly #open = new Set<TLSSocket>();

  constructor(setup: ConnectorSetup) {
    this.#setup = setup;
    this.facts = setup.facts;
    this.draw = setup.draw;
  }

  /**
   * Connects and shakes hands.
   *
   * @param greeting an order in text that the server carries out unasked.
   * @throws Error when the handshake fails or another ALPN comes out than `alpn`.
   */
  async connect(
    host: Host,
    {
      transport,
      alpn,
      greeting,
    }: {
      readonly transport: Transport;
      readonly alpn: Negotiated;
      readonly greeting?: string;
    },
  ): Promise<TLSSocket> {
    const startUs = Date.now() * 1000;
    const socket = this.#start(host);
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    socket.once('connect', () => {
      if (greeting === undefined) return;
      this.#setup.greet(`${socket.localAddress} ${socket.localPort} ${greeting}`);
    });
    await secured(socket, this.#setup.signal);
    const {
      localAddress = '',
      localPort = 0,
      remoteAddress = '',
      remotePort = 0,
    } = socket;
    const label = {
      client: localAddress,
      clientPort: localPort,
      server: remoteAddress,
      serverPort: remotePort,
      startUs,
      ...this.facts.label,
      host: host.name,
      clientProfile: this.facts.profile.name,
      alpn: agreed(socket),
      transport,
      tlsVersion: socket.getProtocol() ?? '',
      resumed: socket.isSessionReused(),
    };
    this.#setup.record(label, host);
    if (agreed(socket) !== alpn)
      throw new Error(`ALPN is ${agreed(socket)}, expected ${alpn}`);
    return socket;
  }

  /** Closes what the session has left open, in order; what does not close in time is cut. */
  async closeAll(): Promise<void> {
    for (const socket of this.#open) socket.end();
    const end = Date.now() + 2000;
    while (this.#open.size > 0 && Date.now() < end && !this.#setup.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const socket of this.#open) socket.destroy();
  }

  #start(host: Host): TLSSocket {
    const { profile, address, port, preferIpv6 } = this.facts;
    const { tickets, draw } = this.#setup;
    const site = this.#setup.siteOf(host);
    const remote = preferIpv6 && site.ipv6 !== undefined ? site.ipv6 : site.ipv4;
    const ticketName = `${profile.name} ${host.name}`;
    const ticket = draw.chance(profile.resumption) ? tickets.get(ticketName) : undefined;
    const { versions, alpn, groups, ciphers, signatures } = profile;
    // A variable: Node's types do not know that `localAddress` is handed on to the socket.
    const options = {
      host: remote,
      port,
      localAddress: isIPv6(remote) ? address.ipv6 : address.ipv4,
      servername: host.name,
      ca: this.#setup.ca,
      minVersion: versions[0],
      maxVersion: versions[1],
      ecdhCurve: groups,
      secureOptions: profile.tickets ? 0 : constants.SSL_OP_NO_TICKET,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(signatures === undefined ? {} : { sigalgs: signatures }),
      ...(ticket === undefined ? {} : { session: ticket }),
    };
    const socket = connectTls(options);
    socket.on('session', (session: Buffer) => tickets.set(ticketName, session));
    return socket;
  }
}

function agreed(socket: TLSSocket): Negotiated {
  const protocol = socket.alpnProtocol;
  return protocol === 'h2' || protocol === 'http/1.1' ? protocol : 'none';
}

function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (fault: unknown): void => {
      socket.destroy();
      reject(fault instanceof Error ? fault : new Error('the connection closed'));
    };
    const timer = setTimeout(
      () => fail(new Error('handshake timed out')),
      HANDSHAKE_TIMEOUT_MS,
    );
    const abort = (): void => fail(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', fail).once('close', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail).off('close', fail);
      resolve();
    });
  });
}
