// A controller and an agent that reports to it, as processes of their own: one folder, one port, one enrolled site.

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { ROOT, sluice, startSluice } from './sluice.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { Inside } from './veth.ts';

const DEMO = join(ROOT, 'test/fixtures/lab-demo.pcap.gz');
export const SITE = 'branch-1';
/** For a state that a machine under load is slow to reach; a run in good order never waits as long. */
const PATIENCE_MS = 60_000;

export type Random = () => number;

/** mulberry32: repeatable from one number. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function until(
  state: string,
  reached: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`after ${PATIENCE_MS} ms not: ${state}`);
    await sleep(20);
  }
}

/** Below the ports that the system gives to whoever connects: while the controller is away nobody else gets it. */
async function freePort(random: Random): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

const COPIES = 25;
const FASTER = 8n;
const GAP_NS = 100_000_000n;

/** The demo eight times as fast, and over and over: a minute in which flows end in every second. */
async function longCapture(file: string): Promise<void> {
  const demo = gunzipSync(await readFile(DEMO));
  const starts: { readonly at: number; readonly ns: bigint }[] = [];
  for (let at = 24; at < demo.byteLength; at += 16 + demo.readUInt32LE(at + 8)) {
    const seconds = BigInt(demo.readUInt32LE(at));
    starts.push({ at, ns: seconds * 1_000_000_000n + BigInt(demo.readUInt32LE(at + 4)) });
  }
  const firstNs = starts[0]?.ns ?? 0n;
  const lastsNs = ((starts.at(-1)?.ns ?? 0n) - firstNs) / FASTER + GAP_NS;
  const copies = [demo.subarray(0, 24)];
  for (let i = 0n; i < COPIES; i++) {
    const copy = Buffer.from(demo);
    for (const { at, ns } of starts) {
      const shifted = firstNs + i * lastsNs + (ns - firstNs) / FASTER;
      copy.writeUInt32LE(Number(shifted / 1_000_000_000n), at);
      copy.writeUInt32LE(Number(shifted % 1_000_000_000n), at + 4);
    }
    copies.push(copy.subarray(24));
  }
  await writeFile(file, Buffer.concat(copies));
}

/** A folder with all that the two need, and how they are started. */
export class Field {
  readonly folder: string;
  readonly capture: string;
  readonly spool: string;
  readonly #port: number;
  /** Everything that was started: nothing outlives the test. */
  readonly #started: Inside[] = [];

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.capture = join(folder, 'long.pcap');
    this.spool = join(folder, 'spool');
    this.#port = port;
  }

  static async make(t: ExecutionContext, random: Random): Promise<Field> {
    const field = new Field(temporaryFolder('crash'), await freePort(random));
    t.teardown(() => field.#clear());
    const { folder } = field;
    const [enrolled] = await Promise.all([
      sluice(['controller', 'enrol', SITE, '--json', '--data', field.#data]),
      longCapture(field.capture),
    ]);
    t.is(enrolled.code, 0, enrolled.stderr);
    const { token } = JSON.parse(enrolled.stdout) as { token: string };
    await writeFile(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
    await writeFile(
      join(folder, 'agent.yaml'),
      JSON.stringify({
        site: SITE,
        report: {
          controller: field.#url,
          tokenFile: join(folder, 'token'),
          spoolDirectory: field.spool,
          windowMs: 1_000,
        },
      }),
    );
    return field;
  }

  get database(): string {
    return join(this.#data, 'controller.db');
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  controller(): Inside {
    const listen = `127.0.0.1:${this.#port}`;
    return this.#start(['controller', '--data', this.#data, '--listen', listen]);
  }

  agent(speed: 'real' | 'max'): Inside {
    const config = join(this.folder, 'agent.yaml');
    return this.#start(['agent', '-c', config, '--speed', speed, '-r', this.capture]);
  }

  /** Until the controller answers. */
  async answers(): Promise<void> {
    await until('the controller answers', () =>
      fetch(`${this.#url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  /** What the controller says to its admin. */
  async get(path: string): Promise<unknown> {
    const token = (await readFile(join(this.#data, 'admin-token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}` };
    return await (await fetch(this.#url + path, { headers })).json();
  }

  #start(args: readonly string[]): Inside {
    const program = startSluice(args);
    this.#started.push(program);
    return program;
  }

  async #clear(): Promise<void> {
    for (const program of this.#started) await program.stop('SIGKILL');
  }
}
