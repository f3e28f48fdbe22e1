// Real captures that nobody here generated. They are no part of the repository: without them these tests are skipped.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { jsonLines, ROOT, sluice } from '../helpers/sluice.ts';

const CAPTURES = join(ROOT, '../shared/corpus/captures');
const present = existsSync(CAPTURES);
if (!present) console.log(`skipped: no real captures at ${CAPTURES}`);
const corpusTest = present ? test : test.skip;

function captureFiles(): string[] {
  return readdirSync(CAPTURES).filter((name) => name !== 'flows.tsv');
}

/** Runs `work` over all items, two at a time. */
async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift())
      await work(item);
  };
  await Promise.all([worker(), worker()]);
}

interface KnownFlow {
  readonly file: string;
  /** Both endpoints and the name, whichever side is the client. */
  readonly key: string;
}

const endpoints = (a: string, aPort: unknown, b: string, bPort: unknown): string =>
  [`${a} ${aPort}`, `${b} ${bPort}`].sort().join(' ');

/** The TLS flows of flows.tsv, as tshark saw them. */
function knownFlows(): KnownFlow[] {
  const [header = '', ...lines] = readFileSync(join(CAPTURES, 'flows.tsv'), 'utf8')
    .trim()
    .split('\n');
  const names = header.split('\t');
  return lines
    .map((line) => line.split('\t'))
    .map((cells) => (name: string) => cells[names.indexOf(name)] ?? '')
    .filter((cell) => cell('transport') === 'tls')
    .map((cell) => ({
      file: cell('file'),
      key: `${endpoints(cell('client'), cell('client_port'), cell('server'), cell('server_port'))} ${cell('sni')}`,
    }));
}

corpusTest('replay ends with 0 or 2 on every real capture', async (t) => {
  t.timeout(300_000);
  const outcomes: Record<string, number> = {};
  await each(captureFiles(), async (file) => {
    const { code, stderr } = await sluice(['replay', '--json', join(CAPTURES, file)]);
    t.true(code === 0 || code === 2, `${file}: exit code ${code}\n${stderr}`);
    t.notRegex(stderr, /\n\s+at /, `${file}: a stack trace`);
    outcomes[String(code)] = (outcomes[String(code)] ?? 0) + 1;
  });
  t.log(`exit codes: ${JSON.stringify(outcomes)}`);
});

corpusTest(
  'flows finds at least 95% of the TLS flows that tshark found, with the same name',
  async (t) => {
    t.timeout(300_000);
    const seen = new Map<string, Set<string>>();
    await each(captureFiles(), async (file) => {
      const { stdout } = await sluice(['flows', '--json', join(CAPTURES, file)]);
      const keys = jsonLines(stdout).map((line) => {
        const flow = line as Record<'client' | 'server', string> &
          Record<string, unknown>;
        const { kind, sni } = flow.handshake as {
          kind: string | null;
          sni: string | null;
        };
        const pair = endpoints(
          flow.client,
          flow.clientPort,
          flow.server,
          flow.serverPort,
        );
        return kind === 'tls' ? `${pair} ${sni ?? ''}` : '';
      });
      seen.set(file, new Set(keys));
    });
    const known = knownFlows();
    const missed = known.filter(({ file, key }) => seen.get(file)?.has(key) !== true);
    const found = known.length - missed.length;
    t.log(`${found} of ${known.length} (${((100 * found) / known.length).toFixed(1)}%)`);
    for (const { file, key } of missed) t.log(`missed: ${file}: ${key}`);
    t.true(found >= 0.95 * known.length);
  },
);
