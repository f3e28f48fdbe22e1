// The newcomer's tour (`npm run demo`): a controller comes up, an agent replays the shipped capture through the shipped
// model and reports, the labels and what the controller has counted are shown and explained. Loopback only, in a
// temporary folder; ends by itself, or stays up with `-- --keep`.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const CAPTURE = 'lab/demo/lab-77000002-0000.pcap.gz';
const LABELS = 'lab/demo/lab-77000002-0000.labels.jsonl';
const BUNDLE = 'models/bundles/router-cnn';
const PROGRAM = 'dist/src/bin/sluice.js';
const SITE = 'demo';
const keep = process.argv.includes('--keep');

const say = (text = '') => console.log(text);
const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
let controller;

/** Ends what was started and removes what was written. */
function clean() {
  controller?.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.on('exit', clean);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));

function fail(run) {
  process.stderr.write(run.stderr);
  process.exit(run.status || 1);
}

/** Runs a subcommand to its end. */
function sluice(...args) {
  const options = {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, XDG_STATE_HOME: folder },
  };
  const run = spawnSync(process.execPath, [PROGRAM, ...args], options);
  if (run.status !== 0) fail(run);
  return run;
}

/** Starts the controller; its address once it listens. */
async function startController(data) {
  const args = [PROGRAM, 'controller', '--data', data, '--listen', '127.0.0.1:0'];
  controller = spawn(process.execPath, [...args, '--log-level', 'warn']);
  controller.stderr.pipe(process.stderr);
  let said = '';
  const address = await new Promise((resolve) => {
    // Read on to the end: a controller whose reader is gone would end.
    controller.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [page] = /http:\S+#token=\S+/.exec(said) ?? [];
      if (page !== undefined) resolve(page);
    });
    controller.once('exit', () => resolve(undefined));
  });
  if (address === undefined) process.exit(1);
  return new URL(address);
}

/** What the controller answers to whoever has the admin token. */
async function ask(page, path) {
  const token = page.hash.replace('#token=', '');
  const answer = await fetch(new URL(path, page), {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json();
}

function introduce(manifest) {
  const bytes = gunzipSync(readFileSync(CAPTURE)).byteLength;
  const { parameters, precision, sizeBytes } = manifest.model;
  say(
    `1. ${CAPTURE}: ${(bytes / 1e6).toFixed(1)} MB of real TLS and QUIC traffic, captured from the wire`,
  );
  say(
    "   in the project's lab: browsers and programs at what people do with eight kinds of service.",
  );
  say(
    `2. ${BUNDLE}: ${manifest.network}, ${parameters.toLocaleString('en-US')} parameters in ${precision},`,
  );
  say(
    `   ${(sizeBytes / 1024).toFixed(0)} KiB, trained on flows of the same lab, but none of these; it is sure of few.`,
  );
  say();
}

function showLabels() {
  say(`$ npm run -s sluice -- replay ${CAPTURE}`);
  const replay = sluice('replay', CAPTURE);
  process.stdout.write(replay.stdout);
  process.stdout.write(replay.stderr.replaceAll('sluice: ', ''));
  say();
}

/** The labels tell what each client really did; the model never sees them. */
function compareWithTruth() {
  const key = (f) => `${f.client}|${f.clientPort}|${f.server}|${f.serverPort}`;
  const linesOf = (text) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const truth = linesOf(readFileSync(LABELS, 'utf8'));
  const done = new Map(truth.map((label) => [key(label), label.service]));
  const flows = linesOf(sluice('replay', '--json', CAPTURE).stdout).filter(
    (line) => line.class !== undefined && done.has(key(line)),
  );
  const right = flows.filter((flow) => flow.class === done.get(key(flow))).length;
  const unknown = flows.filter((flow) => flow.class === 'unknown').length;
  const guessed = flows.filter((flow) => flow.likeliest === done.get(key(flow))).length;
  say(
    `Against what the clients really did: ${right} of ${flows.length} right, ${unknown} unknown, ${flows.length - right - unknown} wrong; the likeliest class alone is right for ${guessed}.`,
  );
  say(
    "Flows of one lab are no claim about traffic from elsewhere (see the bundle's card and docs/evaluation.md).",
  );
}

function explain(manifest) {
  const { seriesSteps, statistics } = manifest.features;
  say(
    'What you see: one line an encrypted flow, in the order in which flows end. `likeliest` is what the model',
  );
  say(
    'takes it for, `probability` how sure it is, and `class` is `unknown` where that is not sure enough. It',
  );
  say(
    `looked at the sizes, directions and times of the first packets (up to ${seriesSteps}), at ${statistics.names.length} statistics of them, and at`,
  );
  say(
    'the ClientHello and ServerHello with everything blotted out that names the server: no server name, no',
  );
  say('addresses, no ports, no payload.');
}

/** The same capture through an agent, to a controller. */
async function report() {
  const data = join(folder, 'controller');
  say('$ sluice controller &                          (a database, an API and a page)');
  const page = await startController(data);
  say(`$ sluice controller enrol ${SITE}`);
  const token = /^token\s+(\S+)/m.exec(
    sluice('controller', 'enrol', SITE, '--data', data).stdout,
  );
  const tokenFile = join(folder, 'site-token');
  writeFileSync(tokenFile, `${token?.[1]}\n`, { mode: 0o600 });
  say(
    `$ sluice agent --read ${CAPTURE} --controller ${page.origin} --site ${SITE} --token-file FILE`,
  );
  const where = ['--controller', page.origin, '--site', SITE, '--token-file', tokenFile];
  sluice('agent', '--read', CAPTURE, ...where);
  return page;
}

async function showController(page) {
  const { totals } = await ask(page, `/v1/sites/${SITE}/classes`);
  const { sites } = await ask(page, '/v1/sites');
  say();
  say(
    `What the controller has of site ${SITE} (${sites[0]?.reports} report, model ${sites[0]?.model}):`,
  );
  say('class            flows    packets up  packets down      bytes up    bytes down');
  const cell = (number, width) => number.toLocaleString('en-US').padStart(width);
  for (const [name, c] of Object.entries(totals)) {
    say(
      name.padEnd(14) +
        cell(c.flows, 8) +
        cell(c.packetsUp, 14) +
        cell(c.packetsDown, 14) +
        cell(c.bytesUp, 14) +
        cell(c.bytesDown, 14),
    );
  }
  say(
    '`other` are flows without a handshake; nothing of addresses or names leaves the agent.',
  );
  say();
  say(`Its page, with charts over time: ${page.href}`);
}

const manifest = JSON.parse(readFileSync(`${BUNDLE}/manifest.json`, 'utf8'));
introduce(manifest);
showLabels();
explain(manifest);
say();
compareWithTruth();
say();
const page = await report();
await showController(page);
say();
if (keep) {
  say('It stays up until Ctrl-C.');
  await new Promise(() => setInterval(() => {}, 60_000));
}
say('(It has ended with this demo; `npm run demo -- --keep` leaves it up.)');
say();
say(
  'Next: replay a capture of your own, look at one without any model, or listen to an interface:',
);
say('  npm run -s sluice -- replay FILE.pcap');
say('  npm run -s sluice -- flows FILE.pcap');
say('  npm run -s sluice -- agent -i eth0 --predictions stdout');
say('  npm run -s sluice -- --help');
process.exit(0);
