// Reports that the controller will never take, with what it said of them: lines of JSON for people, the oldest half gives
// way at the bound.

import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a controller said of one report. */
export interface Refusal {
  readonly status: number;
  readonly detail: string;
}

/** `refused/refused.jsonl` and, before it, `refused/refused.1.jsonl`: together `maxBytes` at most. */
export class RefusedReports {
  readonly #directory: string;
  readonly #halfBytes: number;

  constructor(directory: string, maxBytes: number) {
    this.#directory = join(directory, 'refused');
    this.#halfBytes = Math.floor(maxBytes / 2);
  }

  /** False where a line alone is longer than the half of the bound. */
  async add(json: string, refusal: Refusal, atMs: number): Promise<boolean> {
    const { status, detail } = refusal;
    const head = JSON.stringify({ atMs, status, detail });
    const line = Buffer.from(`${head.slice(0, -1)},"report":${json}}\n`);
    if (line.byteLength > this.#halfBytes) return false;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, 'refused.jsonl');
    if ((await sizeOf(file)) + line.byteLength > this.#halfBytes) {
      await rename(file, join(this.#directory, 'refused.1.jsonl'));
    }
    await appendFile(file, line, { mode: 0o600 });
    return true;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    return 0;
  }
}
