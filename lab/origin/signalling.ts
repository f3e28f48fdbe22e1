// How two browsers that want to talk find each other (RFC 8829): the one that calls posts its offer and waits, the program that
// drives the other one fetches it and posts the answer.
//
//   POST /w              an Offer as JSON; the answer's SDP
//   GET  /w/next         waits for an offer: its number and itself
//   POST /w/answer/N     the answer to offer N

import type { Reply } from './replies.ts';

export interface Offer {
  readonly sdp: string;
  readonly media: 'voice' | 'video' | 'none';
  /** What the called side sends by itself over the data channel (pushes.ts). */
  readonly push: string;
}

const waiting: { number: number; offer: Offer }[] = [];
const called: ((next: { number: number; offer: Offer }) => void)[] = [];
const answers = new Map<number, (sdp: string) => void>();
let offers = 0;
const OFFER_BYTES_MAX = 100_000;

export async function serveSignals(
  request: AsyncIterable<Uint8Array | string>,
  reply: Reply,
  segments: readonly string[],
): Promise<void> {
  const [what = '', number = ''] = segments;
  if (what === 'next') return send(reply, JSON.stringify(await next()));
  const body = await readBody(request);
  if (what === 'answer') {
    answers.get(Number(number))?.(body);
    answers.delete(Number(number));
    return send(reply, '');
  }
  return send(reply, await call(JSON.parse(body)));
}

function next(): Promise<{ number: number; offer: Offer }> {
  const first = waiting.shift();
  if (first !== undefined) return Promise.resolve(first);
  return new Promise((resolve) => called.push(resolve));
}

function call(offer: Offer): Promise<string> {
  const one = { number: ++offers, offer };
  const answered = new Promise<string>((resolve) => answers.set(one.number, resolve));
  const free = called.shift();
  if (free === undefined) waiting.push(one);
  else free(one);
  return answered;
}

async function readBody(request: AsyncIterable<Uint8Array | string>): Promise<string> {
  let body = '';
  for await (const piece of request) {
    body += Buffer.from(piece).toString('utf8');
    if (body.length > OFFER_BYTES_MAX) throw new Error('an offer is not so long');
  }
  return body;
}

function send(reply: Reply, text: string): void {
  reply.writeHead(200, {
    'access-control-allow-origin': '*',
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(text),
  });
  reply.end(text);
}
