// Client software "firefox": a real browser, driven by WebDriver BiDi.
// Arguments: h2 or h3, a profile folder whose NSS database trusts the authority, names of all hosts that speak QUIC.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Bidi } from './bidi.ts';
import { IN_PAGE, PageMeans } from './page-means.ts';
import { playerLoop } from './player-loop.ts';

const [protocol = 'h2', profile = '', quicHosts = ''] = process.argv.slice(2);
const EXECUTABLE = '/usr/bin/firefox-esr';
const LISTENING = /WebDriver BiDi listening on (ws:\S+)/;

// A browser that looks after itself would make flows of its own.
const QUIET: Readonly<Record<string, boolean | number | string>> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  // Cameras and microphones are drawn ones, and allowed; addresses stand as they are.
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'network.trr.mode': 5,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
};

/** Alt-Svc alone does not move a short visit to QUIC; and roots of one's own turn QUIC off. */
function quicPreferences(): Readonly<Record<string, boolean | string>> {
  if (protocol !== 'h3') return { 'network.http.http3.enable': false };
  const hosts = quicHosts.split(',').map((host) => `${host};h3=:443`);
  return {
    'network.http.http3.enable': true,
    'network.http.http3.alt-svc-mapping-for-testing': hosts.join(','),
    'network.http.http3.disable_when_third_party_roots_found': false,
  };
}

async function launch(): Promise<Bidi> {
  const preferences = Object.entries({ ...QUIET, ...quicPreferences() });
  writeFileSync(
    join(profile, 'user.js'),
    preferences
      .map(
        ([name, value]) =>
          `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
      )
      .join(''),
  );
  const args = [
    '--headless',
    '--no-remote',
    '--profile',
    profile,
    '--remote-debugging-port',
    '0',
  ];
  const child = spawn(EXECUTABLE, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
  });
  process.on('exit', () => child.kill('SIGKILL'));
  const gone = once(child, 'exit').then(() => {
    throw new Error('firefox ended before it could be driven');
  });
  return Promise.race([gone, listening(child.stderr)]);
}

async function listening(stderr: NodeJS.ReadableStream): Promise<Bidi> {
  for await (const line of createInterface({ input: stderr })) {
    const url = LISTENING.exec(line)?.[1];
    if (url === undefined) continue;
    // What else it says is of no use here, but has to be read.
    stderr.resume();
    return Bidi.connect(`${url}/session`);
  }
  throw new Error('firefox does not say where it can be driven');
}

const browser = await launch();
await browser.send('session.new', { capabilities: {} });
await browser.send('script.addPreloadScript', {
  functionDeclaration: `() => {\n${readFileSync(IN_PAGE, 'utf8')}\n}`,
});

await playerLoop(async (activity) => {
  // A container of its own: neither connections nor sessions of the activity before.
  const { userContext } = await browser.send('browser.createUserContext', {});
  const { context } = await browser.send('browsingContext.create', {
    type: 'tab',
    userContext,
  });
  return new PageMeans(activity, {
    go: (url) =>
      browser.send('browsingContext.navigate', { context, url, wait: 'complete' }),
    run: async (expression) => {
      const done = await browser.send('script.evaluate', {
        expression,
        target: { context },
        awaitPromise: true,
      });
      if (done.type === 'exception')
        throw new Error(JSON.stringify(done.exceptionDetails));
    },
    close: async () => {
      await browser.send('browser.removeUserContext', { userContext });
    },
  });
});
process.exit(0);
