// Client software "node": Node's own HTTP/1.1 and HTTP/2 over its OpenSSL, and the WebSocket of ws.
// Argument: the certificate of the authority.

import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, type RequestOptions, request } from 'node:https';
import { WebSocket } from 'ws';
import {
  channelMessage,
  channelOpening,
  getPath,
  padding,
  postPath,
} from '../origin/request-path.ts';
import type { Activity, Channel } from '../scenario/step.ts';
import { fetchPage, type Means, playSends } from './play.ts';
import { playerLoop } from './player-loop.ts';

const authority = readFileSync(process.argv[2] ?? '', 'utf8');
const OPENING_BYTES = 160;
const LENGTH_BYTES = 4;

/** Sends one request and reads the whole answer. */
type Exchange = (host: number, path: string, body: string | undefined) => Promise<void>;

function meansOf(exchange: Exchange, rest: Pick<Means, 'channel' | 'close'>): Means {
  const means: Means = {
    ...rest,
    get: (step) =>
      exchange(step.host, getPath({ ...step, push: '' }, padding(step.up)), undefined),
    post: (step) => exchange(step.host, postPath(step), padding(step.up)),
    page: (step) => fetchPage(step, means),
  };
  return means;
}

function http1(activity: Activity): Means {
  const agent = new Agent({ keepAlive: true, maxSockets: 6, ca: authority });
  const nameOf = (host: number): string => activity.hosts[host] ?? '';
  const exchange: Exchange = (host, path, body) =>
    new Promise((resolve, reject) => {
      const options: RequestOptions = {
        agent,
        host: nameOf(host),
        path,
        method: body === undefined ? 'GET' : 'POST',
      };
      const sent = request(options, (response) => {
        response.on('error', reject).on('end', resolve).resume();
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return meansOf(exchange, {
    channel: (step) => webSocket(`wss://${nameOf(step.host)}/c`, step),
    close: async () => agent.destroy(),
  });
}

async function webSocket(url: string, step: Channel): Promise<void> {
  const socket = new WebSocket(url, { ca: authority, perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  socket.on('error', () => {});
  socket.send(channelOpening(step.push, OPENING_BYTES));
  await playSends(step, ({ replies, up }) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(channelMessage(replies, up));
  });
  socket.close();
}

function http2(activity: Activity): Means {
  const sessions = new Map<number, ClientHttp2Session>();
  const sessionOf = (host: number): ClientHttp2Session => {
    const open = sessions.get(host);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connectHttp2(`https://${activity.hosts[host]}`, { ca: authority });
    // Its requests bear the fault.
    session.on('error', () => {});
    sessions.set(host, session);
    return session;
  };
  const exchange: Exchange = (host, path, body) =>
    new Promise((resolve, reject) => {
      const stream = sessionOf(host).request({
        ':path': path,
        ':method': body === undefined ? 'GET' : 'POST',
      });
      stream.on('error', reject).on('end', resolve).resume();
      stream.end(body);
    });
  return meansOf(exchange, {
    channel: (step) => messageStream(sessionOf(step.host), step),
    close: async () => {
      for (const session of sessions.values()) session.destroy();
    },
  });
}

/** As gRPC does: one request whose body and answer are open at the same time. */
async function messageStream(session: ClientHttp2Session, step: Channel): Promise<void> {
  const stream = session.request({ ':path': '/s', ':method': 'POST' });
  let fault: Error | undefined;
  stream.on('error', (error: Error) => {
    fault = error;
  });
  stream.resume();
  const send = (message: string): void => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(message.length);
    if (!stream.destroyed)
      stream.write(Buffer.concat([length, Buffer.from(message, 'latin1')]));
  };
  send(channelOpening(step.push, OPENING_BYTES));
  await playSends(step, ({ replies, up }) => send(channelMessage(replies, up)));
  stream.end();
  stream.close();
  if (fault !== undefined) throw fault;
}

await playerLoop(async (activity) =>
  activity.protocol === 'h2' ? http2(activity) : http1(activity),
);
process.exit(0);
