// Two network namespaces of the test's own, joined by a veth pair: traffic that never leaves the machine.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';

const PREFIX = 'sluice-test-';

/** Why namespaces cannot be made here; undefined where they can. */
export function vethObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  const probe = `${PREFIX}${process.pid}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'delete', probe], { stdio: 'pipe' });
    return undefined;
  } catch (fault) {
    return `no network namespace can be made (${(fault as Error).message.split('\n')[0]})`;
  }
}

export type Side = 'left' | 'right';
const SIDES = ['left', 'right'] as const;
let pairs = 0;

/** What a program came to. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs inside. */
export class Inside {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      for (const listener of this.#listeners) listener();
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => {
        for (const listener of this.#listeners) listener();
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Until it has said `text` on stderr. @throws when it ends before. */
  async said(text: string): Promise<void> {
    while (!this.stderr.includes(text)) {
      if (this.child.exitCode !== null) {
        throw new Error(`it ended before it said "${text}": ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  async stop(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return await this.ended;
  }
}

/** `left0` in one namespace, `right0` in the other, both up, offloads off: frames arrive as they were sent. */
export class VethPair {
  readonly #id = `${PREFIX}${process.pid}-${pairs++}`;

  constructor() {
    try {
      for (const side of SIDES) {
        this.#host('netns', 'add', this.name(side));
        this.ip(side, 'link', 'set', 'lo', 'up');
      }
      this.connect();
    } catch (fault) {
      this.close();
      throw fault;
    }
  }

  name(side: Side): string {
    return `${this.#id}-${side}`;
  }

  /** Makes the pair, again if need be. */
  connect(): void {
    const [left, right] = [this.name('left'), this.name('right')];
    const ends = [
      'left0',
      'netns',
      left,
      'type',
      'veth',
      'peer',
      'right0',
      'netns',
      right,
    ];
    this.#host('link', 'add', ...ends);
    for (const side of SIDES) {
      // No address, no neighbours: what is on the wire is the test's alone.
      this.run(side, 'sysctl', '-qw', `net.ipv6.conf.${side}0.disable_ipv6=1`);
      this.ip(side, 'link', 'set', `${side}0`, 'up');
    }
  }

  ip(side: Side, ...args: string[]): string {
    return this.#host('-n', this.name(side), ...args);
  }

  /** Runs a program inside to its end. @throws when it fails. */
  run(side: Side, command: string, ...args: string[]): string {
    return this.#host('netns', 'exec', this.name(side), command, ...args);
  }

  start(side: Side, command: string, ...args: string[]): Inside {
    const inside = ['netns', 'exec', this.name(side), command, ...args];
    return new Inside(spawn('ip', inside, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  close(): void {
    for (const side of SIDES) {
      try {
        this.#host('netns', 'delete', this.name(side));
      } catch {
        // It was not made, or is gone.
      }
    }
  }

  #host(...args: string[]): string {
    return execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
  }
}
