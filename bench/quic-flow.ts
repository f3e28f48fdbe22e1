// A flow of QUIC as a browser opens one today: a ClientHello with a post-quantum key over two datagrams, each with frames
// out of order, and the server's answer.

import type { FlowRecord } from '../src/flow/flow-record.ts';
import {
  ACK,
  cryptoFrame,
  cryptoFrames,
  initialPacket,
  PING,
  SERVER_ID,
} from '../test/helpers/quic.ts';
import { datagrams, makeRecord } from '../test/helpers/records.ts';
import { clientHello, serverHello } from '../test/helpers/tls.ts';

/** X25519MLKEM768: of the client 1,216 bytes, of the server 1,120. */
const HYBRID_GROUP = 0x11ec;
const CLIENT_KEY = Buffer.alloc(1_216, 1);
const SERVER_SHARE = Buffer.concat([
  Buffer.from('11ec0460', 'hex'),
  Buffer.alloc(1_120, 2),
]);
const DATAGRAM_BYTES = 1_162;

/** @param number makes the connection id, and so the keys, its own */
export function quicFlow(number: number): FlowRecord {
  const destination = Buffer.alloc(8);
  destination.writeUInt32BE(number, 4);
  const hello = clientHello({
    sni: 'www.example.org',
    alpn: ['h3'],
    versions: [0x0304],
    keyShares: [
      [HYBRID_GROUP, CLIENT_KEY],
      [29, Buffer.alloc(32, 3)],
    ],
  });
  const frames = cryptoFrames(hello, [300, 700, 1_000]);
  const [a, b, c, d] = frames.map((frame) => frame as Uint8Array);
  const client = (packet: number, some: readonly (Uint8Array | undefined)[]): Buffer =>
    initialPacket({
      destination,
      number: packet,
      frames: some.filter((frame) => frame !== undefined),
      paddedTo: DATAGRAM_BYTES,
    });
  const server = initialPacket({
    from: 'server',
    destination: Buffer.alloc(0),
    source: SERVER_ID,
    keyId: destination,
    frames: [ACK, cryptoFrame(0, serverHello({ keyShare: SERVER_SHARE }))],
  });
  return makeRecord({
    protocol: 17,
    segments: datagrams(
      ['up', client(0, [c, PING, a])],
      ['up', client(1, [d, b])],
      ['down', server],
    ),
  });
}
