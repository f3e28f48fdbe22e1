// Other programs: run one to its end, or keep one running and stop it. Only what was started here is ever ended.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { InputError, SluiceError } from '../src/errors.ts';

const COMMAND_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 5000;
const STDERR_KEPT = 4000;

/** Debian's package for each program that the lab calls. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  tc: 'iproute2',
  tcpdump: 'tcpdump',
  openssl: 'openssl',
  ethtool: 'ethtool',
  cmake: 'cmake g++',
};

/**
 * Runs a program to its end and gives its standard output.
 *
 * @throws InputError ERR_LAB_TOOL: the program is not installed. SluiceError ERR_LAB_COMMAND: it failed.
 */
export function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: 1 << 24 };
    execFile(command, [...args], options, (fault, stdout, stderr) => {
      if (fault === null) resolve(stdout);
      else if (fault.code === 'ENOENT') reject(missing(command));
      else {
        const said = stderr.trim() === '' ? fault.message : stderr.trim();
        const message = `${command} ${args.join(' ')}: ${said}`;
        reject(new SluiceError('ERR_LAB_COMMAND', message, { cause: fault }));
      }
    });
  });
}

export function missing(command: string): InputError {
  const cure = PACKAGES[command] ?? command;
  return new InputError(
    'ERR_LAB_TOOL',
    `${command} is not installed: apt-get install ${cure}`,
  );
}

/** A program that runs until it is stopped. */
export class Running {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stderr = '';
  #stdout = '';
  #lastLine = '';
  readonly #waiting: ((line: string | undefined) => void)[] = [];

  /** Starts it; standard input stays open, so that a child of ours sees its end when we are gone. */
  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit').catch(() => undefined);
    this.#child.once('close', () => {
      for (const take of this.#waiting.splice(0)) take(undefined);
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      const lines = this.#stdout.split('\n');
      // What stands behind the last line's end is the beginning of the next one.
      this.#stdout = lines.pop() ?? '';
      for (const line of lines) this.#takeLine(line);
    });
    // A program that has ended takes nothing more; that it has ended shows elsewhere.
    this.#child.stdin?.on('error', () => {});
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
  }

  /** The last of what it said on standard error. */
  get said(): string {
    return this.#stderr;
  }

  /** The last line that it wrote to standard output. */
  get lastLine(): string {
    return this.#lastLine;
  }

  /** Hands it a line and waits for the line that it answers; undefined when it ends instead. */
  ask(line: string): Promise<string | undefined> {
    if (this.#over) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  #takeLine(line: string): void {
    this.#lastLine = line;
    this.#waiting.shift()?.(line);
  }

  get #over(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Waits until it has written `phrase` to standard error.
   *
   * @throws SluiceError ERR_LAB_COMMAND: it ended before, or took longer than `timeoutMs`.
   */
  async ready(phrase: string, timeoutMs = 15_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!this.#stderr.includes(phrase)) {
      if (this.#over || this.#child.pid === undefined || Date.now() > end) {
        throw new SluiceError(
          'ERR_LAB_COMMAND',
          `${this.name} did not start: ${this.#stderr}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits for its end; its exit code, or undefined when a signal ended it. Stops waiting when `signal` aborts. */
  async ended(signal: AbortSignal): Promise<number | undefined> {
    if (!this.#over) {
      const aborted = new Promise((resolve) => {
        if (signal.aborted) resolve(undefined);
        else signal.addEventListener('abort', resolve, { once: true });
      });
      await Promise.race([this.#exited, aborted]);
    }
    signal.throwIfAborted();
    return this.#child.exitCode ?? undefined;
  }

  /** Ends it: SIGINT, and SIGKILL if that does not do. */
  async stop(): Promise<void> {
    if (this.#over || this.#child.pid === undefined) return;
    this.#child.kill('SIGINT');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.#exited;
    clearTimeout(late);
  }
}
