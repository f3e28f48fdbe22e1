// The datagrams of a flow -> what its Initial packets say: versions, and the handshake messages of both sides. RFC 9000,
// RFC 9001, RFC 9368 (compatible versions), RFC 9369 (version 2).

import type { Direction, Segment } from '../flow/flow-record.ts';
import { type GquicHello, gquicVersion, parseChlo } from './gquic.ts';
import type { HandshakeMessage } from './hello.ts';
import { joinPieces, type Piece } from './join.ts';
import { readCryptoFrames } from './quic-frames.ts';
import {
  type InitialKeys,
  initialKeys,
  openInitial,
  type ProtectedPacket,
} from './quic-keys.ts';
import { type LongHeader, packetExtent, parseLongHeader } from './quic-packet.ts';
import { candidateVersions, isReserved, type QuicVersion } from './quic-versions.ts';
import { helloMessages } from './tls-records.ts';

/** What a flow's hostile datagrams may cost: packets that are tried, and keys that are derived. */
const OPENINGS_MAX = 48;
const DERIVATIONS_MAX = 12;
/** RFC 9000 14.1: a client's first datagram is filled up to this. */
const FIRST_DATAGRAM_BYTES = 1_200;
/** RFC 9000 17.2: set in every packet, until the other side says that it need not be (RFC 9287). */
const FIXED_BIT = 0x40;
/** RFC 9000 7.2: the connection id that a client draws is at least so long. */
const FIRST_ID_BYTES = 8;

/** What was found of QUIC in a flow. */
export interface QuicHandshake {
  /** Of the packets that opened; else of the first long header. */
  readonly version: number;
  readonly retry: boolean;
  readonly versionNegotiation: boolean;
  readonly client: readonly HandshakeMessage[];
  readonly server: readonly HandshakeMessage[];
  /** Tries to open a packet, whether they succeeded or not: at most OPENINGS_MAX. */
  readonly openings: number;
  /** Of Google's own handshake, where it is that. */
  readonly chlo: GquicHello | undefined;
}

/** One try of a client to connect: its keys follow from the connection id of its first packet. */
interface Attempt {
  version: QuicVersion;
  readonly connectionId: Uint8Array;
  /** By side and version, as a server may answer in a compatible one (RFC 9368). */
  readonly keys: Map<string, InitialKeys>;
  readonly clientDirection: Direction;
  readonly client: Piece[];
  readonly server: Piece[];
  chlo: GquicHello | undefined;
}

/** undefined: no datagram has a long header of QUIC. Never throws. */
export function readQuic(
  datagrams: readonly Segment[],
  limit: number,
): QuicHandshake | undefined {
  const reader = new QuicReader();
  for (const datagram of datagrams) reader.read(datagram);
  return reader.result(limit);
}

class QuicReader {
  readonly #attempts: Attempt[] = [];
  readonly #tried = new Set<string>();
  #openings = 0;
  #derivations = 0;
  #firstVersion: number | undefined;
  #retry = false;
  #versionNegotiation = false;
  #chlo: GquicHello | undefined;

  read({ bytes, direction, captureCut }: Segment): void {
    const gquic = gquicVersion(bytes);
    if (gquic !== undefined) {
      this.#firstVersion ??= gquic;
      if (direction === 'up') this.#chlo ??= parseChlo(bytes);
      return;
    }
    for (let at = 0; at < bytes.byteLength; ) {
      const header = parseLongHeader(bytes, at);
      if (header === undefined) return;
      const next = this.#readPacket({ bytes, from: at, header, captureCut }, direction);
      if (next === undefined) return;
      at = next;
    }
  }

  /** Gives where the next packet of the datagram begins, if there may be one. */
  #readPacket(packet: LongPacket, direction: Direction): number | undefined {
    const { bytes, header } = packet;
    if (header.version === 0) {
      this.#versionNegotiation = this.#firstVersion !== undefined;
      return undefined;
    }
    const versions = candidateVersions(header.version);
    const [version] = versions;
    if (this.#firstVersion === undefined) {
      if (!looksLikeFirst(packet)) return undefined;
      this.#firstVersion = header.version;
    }
    if (version === undefined) return undefined;
    if (header.packetType === version.retryType) {
      this.#retry = true;
      return undefined;
    }
    const initial = versions.some((v) => v.initialType === header.packetType);
    const extent = packetExtent(bytes, header, initial);
    if (extent === undefined) return undefined;
    if (initial) {
      this.#open(
        {
          bytes: bytes.subarray(packet.from, extent.end),
          numberAt: extent.numberAt - packet.from,
          cut: extent.cut && packet.captureCut,
        },
        { header, versions, direction },
      );
    }
    return extent.end;
  }

  #open(packet: ProtectedPacket, context: PacketContext): void {
    const { header, versions, direction } = context;
    const latest = this.#attempts.at(-1);
    const fromClient = latest?.clientDirection === direction;
    if (latest !== undefined) {
      // A client answers in the version that it was answered in; a reserved one is made like the attempt's.
      const version = isReserved(header.version) ? latest.version : versions[0];
      const payload = version && this.#openWith(latest, version, fromClient, packet);
      if (version !== undefined && payload !== undefined) {
        latest.version = version;
        collect(latest, fromClient, payload);
        return;
      }
    }
    // A new try, after a Retry or a version negotiation: the client has another connection id to start from. Or nobody has
    // tried yet, and this is the first packet.
    this.#begin(packet, context);
  }

  #begin(packet: ProtectedPacket, { header, versions, direction }: PacketContext): void {
    const connectionId = header.destinationId;
    if (connectionId.byteLength === 0 || this.#derivations === DERIVATIONS_MAX) return;
    if (this.#isTried(header)) return;
    for (const version of versions) {
      const attempt: Attempt = {
        version,
        connectionId,
        keys: new Map(),
        clientDirection: direction,
        client: [],
        server: [],
        chlo: undefined,
      };
      const payload = this.#openWith(attempt, version, true, packet);
      if (payload === undefined) continue;
      this.#attempts.push(attempt);
      collect(attempt, true, payload);
      return;
    }
  }

  /** Remembers that keys of this connection id are tried: what they do not fit now they will not fit the next time. */
  #isTried({ destinationId, version }: LongHeader): boolean {
    const key = `${version} ${Buffer.from(destinationId).toString('hex')}`;
    if (this.#tried.has(key)) return true;
    this.#tried.add(key);
    return false;
  }

  #openWith(
    attempt: Attempt,
    version: QuicVersion,
    fromClient: boolean,
    packet: ProtectedPacket,
  ): Uint8Array | undefined {
    if (this.#openings === OPENINGS_MAX) return undefined;
    const side = fromClient ? 'client' : 'server';
    const name = `${side} ${version.number}`;
    let keys = attempt.keys.get(name);
    if (keys === undefined) {
      if (this.#derivations === DERIVATIONS_MAX) return undefined;
      this.#derivations++;
      keys = initialKeys(version, attempt.connectionId, side);
      attempt.keys.set(name, keys);
    }
    this.#openings++;
    return openInitial(packet, keys);
  }

  result(limit: number): QuicHandshake | undefined {
    if (this.#firstVersion === undefined) return undefined;
    const attempt =
      this.#attempts.findLast(({ server }) => server.length > 0) ?? this.#attempts.at(-1);
    return {
      version: attempt?.version.number ?? this.#firstVersion,
      retry: this.#retry,
      versionNegotiation: this.#versionNegotiation,
      client: helloMessages(joinPieces(attempt?.client ?? []), limit),
      server: helloMessages(joinPieces(attempt?.server ?? []), limit),
      openings: this.#openings,
      chlo: this.#chlo ?? attempt?.chlo,
    };
  }
}

interface LongPacket {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly header: LongHeader;
  readonly captureCut: boolean;
}

interface PacketContext {
  readonly header: LongHeader;
  readonly versions: readonly QuicVersion[];
  readonly direction: Direction;
}

function collect(attempt: Attempt, fromClient: boolean, payload: Uint8Array): void {
  if (fromClient) attempt.chlo ??= parseChlo(payload);
  readCryptoFrames(
    payload,
    attempt.version.cryptoFrame,
    fromClient ? attempt.client : attempt.server,
  );
}

/**
 * Whether a flow may be taken for QUIC because of this packet. Of a version that is known by its whole number little is
 * asked for; else the datagram and the connection id have to be as long as a client's first are.
 */
function looksLikeFirst({ bytes, from, header }: LongPacket): boolean {
  if (((bytes[from] ?? 0) & FIXED_BIT) === 0) return false;
  const { version, destinationId } = header;
  if (!isReserved(version) && candidateVersions(version).length > 0) return true;
  return (
    from === 0 &&
    bytes.byteLength >= FIRST_DATAGRAM_BYTES &&
    destinationId.byteLength >= FIRST_ID_BYTES
  );
}
