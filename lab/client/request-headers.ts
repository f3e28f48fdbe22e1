// Headers and paths of requests: as long as client profile and host make them, whatever the class.

import { randomBytes } from 'node:crypto';
import type { Host } from '../plan.ts';
import type { Connector } from './connector.ts';

/** Bytes for bodies that go up. */
export const FILLING_TEXT = randomBytes(1 << 16);
const LETTERS = randomBytes(6000).toString('base64url');

const PATH_MEDIAN = 28;
const PATH_SIGMA = 0.7;

/** A path that ends where the order begins, and headers; those that stay the same compress away in HTTP/2. */
export function requestHeaders(
  connector: Connector,
  host: Host,
): { path: string; headers: Record<string, string> } {
  const { draw, facts } = connector;
  const length = draw.bytes(PATH_MEDIAN, PATH_SIGMA, [4, 300]);
  const agent = {
    'user-agent': LETTERS.slice(0, facts.profile.headerBytes),
    accept: '*/*',
  };
  const from = host.name.length * 17;
  const cookie = LETTERS.slice(from, from + host.cookieBytes);
  const headers = host.cookieBytes > 0 ? { ...agent, cookie } : agent;
  return { path: `/${draw.token(length)}?o=`, headers };
}
