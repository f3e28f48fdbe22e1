// The newcomer's tour (`npm run demo`): replays the shipped capture through the shipped bundle and explains what is seen.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const CAPTURE = 'test/fixtures/lab-demo.pcap.gz';
const LABELS = 'test/fixtures/lab-demo.labels.jsonl';
const BUNDLE = 'models/bundles/router-cnn';

const say = (text = '') => console.log(text);

function sluice(...args) {
  const run = spawnSync(process.execPath, ['dist/src/bin/sluice.js', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) {
    process.stderr.write(run.stderr);
    process.exit(run.status ?? 1);
  }
  return run;
}

const manifest = JSON.parse(readFileSync(`${BUNDLE}/manifest.json`, 'utf8'));
const bytes = gunzipSync(readFileSync(CAPTURE)).byteLength;
say(
  `1. ${CAPTURE}: ${(bytes / 1e6).toFixed(1)} MB of real TLS traffic, captured from the wire in the`,
);
say("   project's lab: real clients and servers behaving like eight kinds of service.");
say(
  `2. ${BUNDLE}: ${manifest.network}, ${manifest.model.parameters.toLocaleString('en-US')} parameters in ${manifest.model.precision},`,
);
say(
  `   ${(manifest.model.sizeBytes / 1024).toFixed(0)} KiB, trained on other captures of that lab.`,
);
say();
say(`$ npm run -s sluice -- replay ${CAPTURE}`);
const replay = sluice('replay', CAPTURE);
process.stdout.write(replay.stdout);
process.stdout.write(replay.stderr.replaceAll('sluice: ', ''));

// The labels tell what each client really did; the model never sees them.
const key = (f) => `${f.client}|${f.clientPort}|${f.server}|${f.serverPort}`;
const done = new Map(
  readFileSync(LABELS, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .map((label) => [key(label), label.service]),
);
const flows = sluice('replay', '--json', CAPTURE)
  .stdout.trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter((line) => line.class !== undefined && done.has(key(line)));
const right = flows.filter((flow) => flow.class === done.get(key(flow))).length;
const unknown = flows.filter((flow) => flow.class === 'unknown').length;
const guessed = flows.filter((flow) => flow.likeliest === done.get(key(flow))).length;

say();
say(
  'What you see: one line a TLS flow, in the order in which flows end. `likeliest` is what the model takes it',
);
say(
  "for, `probability` how sure it is, and `class` is `unknown` where that is not sure enough. It looked at the first packets'",
);
say(
  `sizes, directions and times (up to ${manifest.features.seriesSteps}), at ${manifest.features.statistics.names.length} statistics of them, and at the ClientHello and ServerHello`,
);
say(
  'with everything blotted out that names the server: no server name, no addresses, no ports, no payload.',
);
say();
say(
  `Against what the clients really did: ${right} of ${flows.length} right, ${unknown} unknown, ${flows.length - right - unknown} wrong; the likeliest class alone is right for ${guessed}.`,
);
say(
  "The lab is small and so is this claim: it says nothing of traffic from elsewhere (see the bundle's card).",
);
say();
say('Next: replay a capture of your own, or look at one without any model:');
say('  npm run -s sluice -- replay FILE.pcap');
say('  npm run -s sluice -- flows FILE.pcap');
say('  npm run -s sluice -- --help');
