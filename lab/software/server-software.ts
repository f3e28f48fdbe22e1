// What a server software of the lab is; servers.ts lists them.

import type { Protocol } from '../scenario/step.ts';

/** Of every server, whatever it serves. */
export const PORT = 443;
/** Of the application, on loopback. */
export const ORIGIN_PORT = 8080;

export interface ServedHost {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** PEM files. */
  readonly chain: string;
  readonly key: string;
}

export interface ServerSoftware {
  readonly name: string;
  readonly stack: string;
  readonly protocols: readonly Protocol[];
  /** Whether over HTTP/3 a request's body and its answer may be open at the same time. */
  readonly streams: boolean;
  /** Hosts of a batch. */
  readonly hosts: number;
  /** Whether its addresses have to be those of the network's device; browsers do not offer those of loopback to others. */
  readonly onDevice?: boolean;
  lacking(): string | undefined;
  /** Writes its configuration into `folder`; gives the command. What it makes up by itself, such as mail, comes of the seed. */
  start(
    hosts: readonly ServedHost[],
    folder: string,
    seed: number,
  ): Promise<readonly string[]>;
  /** What it says when it is ready; undefined: at once. */
  readonly ready: string | undefined;
}
