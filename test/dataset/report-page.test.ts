// The page in a real browser: it draws, in light and dark, and asks for nothing.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { reportOn } from '../../src/dataset/report.ts';
import { reportHtml } from '../../src/dataset/report-html.ts';
import { captureId, makeRow, writeDataset } from '../helpers/dataset-rows.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const BROWSER = (process.env.PATH ?? '')
  .split(':')
  .flatMap((folder) => BROWSERS.map((name) => join(folder, name)))
  .find((path) => existsSync(path));
const run = promisify(execFile);

async function pageIn(folder: string): Promise<string> {
  const rows = Array.from({ length: 120 }, (_, i) =>
    makeRow(
      {
        capture: captureId(i % 6),
        flow: Math.floor(i / 6),
        session: `${i}`,
        service: ['chat', 'web'][i % 2] ?? 'web',
        serverPort: 400 + (i % 2),
      },
      [517, -1400, -10 * i - 1, 80],
    ),
  );
  await writeDataset(folder, rows);
  const watch = { signal: new AbortController().signal, progress: () => undefined };
  const path = join(folder, 'report.html');
  await writeFile(path, reportHtml(await reportOn(folder, undefined, watch)));
  return path;
}

test('a browser draws the page, light and dark, plots and all', async (t) => {
  if (BROWSER === undefined) {
    t.log(`skipped: none of ${BROWSERS.join(', ')} is installed`);
    t.pass();
    return;
  }
  const folder = temporaryFolder('page');
  // A browser that has ended may have children that still write: the removal at the end would fail.
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const page = pathToFileURL(await pageIn(folder)).href;
  const browse = (args: readonly string[]) =>
    run(
      BROWSER,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--hide-scrollbars',
        '--window-size=1100,2400',
        `--user-data-dir=${join(folder, 'profile')}`,
        ...args,
        page,
      ],
      { timeout: 120_000, maxBuffer: 1 << 26 },
    );
  const { stdout, stderr } = await browse(['--dump-dom', '--enable-logging=stderr']);
  // As the parser left it: what is not closed would have swallowed what follows.
  t.is(stdout.match(/<section /g)?.length, 6);
  t.regex(stdout, /<\/section>\s*<\/main>\s*<\/body>/);
  // The policy of the page tells the console of whatever it had to hold back.
  t.notRegex(stderr, /CONSOLE/);
  const sizes = [];
  for (const [name, scheme] of [
    ['light', []],
    ['dark', ['--blink-settings=preferredColorScheme=0']],
  ] as const) {
    const path = join(folder, `${name}.png`);
    await browse([...scheme, `--screenshot=${path}`]);
    const picture = await readFile(path);
    t.is(picture.toString('latin1', 1, 4), 'PNG');
    // An empty page of this size is some 8 kB.
    t.true(picture.byteLength > 60_000, `${name}: ${picture.byteLength} bytes`);
    sizes.push(picture.byteLength);
  }
  t.not(sizes[0], sizes[1]);
});
