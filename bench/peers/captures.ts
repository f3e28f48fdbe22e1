// The captures of the comparison, made once and kept outside the tree: 3.5 GB are too much to make for each run.

import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Draw } from '../../lab/draw.ts';
import { type CaptureFacts, makeCapture } from './make-capture.ts';
import { RECORDED, type Recording, recordConnections } from './recording.ts';

/** Raised when the same order makes another file. */
const VERSION = 1;
const SEED = 20_261_124;

/** A capture that is there. */
export interface Capture {
  readonly path: string;
  readonly packetsPerFlow: number;
  readonly facts: CaptureFacts;
  readonly recorded: string;
}

/** $XDG_CACHE_HOME/sluice, or ~/.cache/sluice. */
function cacheDirectory(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(
    base === undefined || base === '' ? join(homedir(), '.cache') : base,
    'sluice',
  );
}

/** A capture that is wanted: about so many packets, of flows of about so many. */
export interface Wanted {
  readonly packets: number;
  readonly packetsPerFlow: number;
}

/** Gives the captures that are wanted; makes those that are not there. */
export async function captures(
  wanted: readonly Wanted[],
  say: (text: string) => void,
): Promise<Capture[]> {
  const directory = cacheDirectory();
  await mkdir(directory, { recursive: true });
  let recordings: Recording[] | undefined;
  const all: Capture[] = [];
  for (const { packets, packetsPerFlow: perFlow } of wanted) {
    const path = join(directory, `peers-v${VERSION}-${packets}-by-${perFlow}.pcap`);
    const kept = await keptFacts(path);
    let facts = kept;
    if (facts === undefined) {
      recordings ??= await recordConnections(new Draw(SEED));
      facts = await make(path, { packets, perFlow, recordings, say });
    }
    all.push({ path, packetsPerFlow: perFlow, facts, recorded: RECORDED });
  }
  return all;
}

const factsFile = (path: string): string => `${path}.json`;

/** The facts beside a file, if it is whole. */
async function keptFacts(path: string): Promise<CaptureFacts | undefined> {
  try {
    const facts = JSON.parse(await readFile(factsFile(path), 'utf8')) as CaptureFacts;
    return (await stat(path)).size === facts.fileBytes ? facts : undefined;
  } catch {
    return undefined;
  }
}

interface Making {
  readonly packets: number;
  readonly perFlow: number;
  readonly recordings: readonly Recording[];
  readonly say: (text: string) => void;
}

async function make(
  path: string,
  { packets, perFlow, recordings, say }: Making,
): Promise<CaptureFacts> {
  const startUs = Date.now() * 1000;
  const order = { packets, packetsPerFlow: perFlow, seed: SEED + perFlow, startUs };
  let told = 0;
  const tell = (part: number): void => {
    const tenth = Math.floor(part * 10);
    if (tenth > told) say(`making ${path}: ${tenth * 10} %`);
    told = tenth;
  };
  say(`making ${path}`);
  const facts = await makeCapture(`${path}.part`, order, { recordings, tell });
  await rename(`${path}.part`, path);
  await writeFile(factsFile(path), `${JSON.stringify(facts)}\n`);
  return facts;
}
