// `sluice controller` as its operator runs it.

import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Database from 'libsql';
import { Client, enrolIn, report, startProcess } from '../helpers/controller.ts';
import { jsonLines, sluice } from '../helpers/sluice.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

// One after the other: each is several processes.
const ANY_PORT = ['--listen', '127.0.0.1:0'];

/** A run that ends with exit code 2, says one line and gives no data. */
async function refused(
  t: ExecutionContext,
  args: readonly string[],
  line: RegExp,
): Promise<void> {
  const { code, stdout, stderr } = await sluice(['controller', ...args]);
  t.is(code, 2, stderr);
  t.is(stdout, '');
  t.is(stderr.trimEnd().split('\n').length, 1, stderr);
  t.regex(stderr, line);
}

test.serial(
  'it starts with nothing, says where everything is, and ends at SIGTERM with 0',
  async (t) => {
    const data = join(temporaryFolder('controller'), 'made', 'anew');
    const controller = await startProcess(['--data', data, ...ANY_PORT]);
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    t.regex(controller.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    t.deepEqual(controller.lines, [
      `controller   ${controller.url}`,
      `page         ${controller.url}/#token=${token}`,
      `admin token  ${join(data, 'admin-token')}`,
      `enrol        sluice controller enrol SITE --data ${data}`,
    ]);
    t.is((await stat(data)).mode & 0o777, 0o700);
    for (const name of ['admin-token', 'controller.db']) {
      t.is((await stat(join(data, name))).mode & 0o777, 0o600, name);
    }
    t.is((await new Client(controller.url, token).get('/v1/sites')).status, 200);
    t.is(await controller.end('SIGTERM'), 0);
  },
);

test.serial('SIGINT ends it with 0, and the next start has the same token', async (t) => {
  const data = temporaryFolder('controller');
  const first = await startProcess(['--data', data, ...ANY_PORT]);
  t.is(await first.end('SIGINT'), 0);
  const second = await startProcess(['--data', data, ...ANY_PORT]);
  t.is(await second.end('SIGINT'), 0);
  const token = (line: string | undefined) => line?.split('#token=')[1];
  t.is(token(first.lines[1]), token(second.lines[1]));
});

test.serial('sites are enrolled, listed and revoked while it runs', async (t) => {
  const data = temporaryFolder('controller');
  const controller = await startProcess(['--data', data, ...ANY_PORT]);
  const enrolled = await sluice(['controller', 'enrol', 'edge-1', '--data', data]);
  t.is(enrolled.code, 0);
  t.regex(
    enrolled.stdout,
    /^token {2}[\w-]{43}\nagent {2}sluice agent -i IF --controller URL --site edge-1 --token-file FILE\n$/,
  );
  const token = /^token {2}(\S+)/.exec(enrolled.stdout)?.[1];
  const client = new Client(controller.url, token);
  t.is((await client.reports([report('edge-1', 0)])).status, 200);
  await refused(t, ['enrol', 'edge-1', '--data', data], /site edge-1: is enrolled; /);

  const list = await sluice(['controller', 'sites', '--data', data]);
  t.regex(list.stdout, /^site +enrolled +last report +reports +flows +agent +model\n/);
  t.regex(list.stdout, /\nedge-1 .* 1 +6 +0\.1\.0 +router-cnn@/);
  const json = await sluice(['controller', 'sites', '--json', '--data', data]);
  t.like(jsonLines(json.stdout)[0], { name: 'edge-1', reports: 1, revokedAtMs: null });

  t.is((await sluice(['controller', 'revoke', 'edge-1', '--data', data])).code, 0);
  t.is((await client.reports([report('edge-1', 1)])).status, 401);
  await refused(t, ['revoke', 'edge-1', '--data', data], /site edge-1: is revoked/);
  await refused(t, ['revoke', 'edge-9', '--data', data], /edge-9: is not enrolled; /);

  const again = await sluice([
    ...['controller', 'enrol', 'edge-1', '--json', '--data', data],
  ]);
  const [line] = jsonLines(again.stdout);
  t.is(line?.site, 'edge-1');
  const anew = new Client(controller.url, String(line?.token));
  t.deepEqual((await anew.reports([report('edge-1', 0)])).json, {
    accepted: 0,
    duplicates: 1,
  });
  t.is(await controller.end('SIGTERM'), 0);
});

test.serial(
  'processes that make the data folder at the same time share it',
  async (t) => {
    const data = join(temporaryFolder('controller'), 'made', 'at-once');
    const names = ['a', 'b', 'c', 'd'];
    const runs = await Promise.all(
      names.map((name) => sluice(['controller', 'enrol', name, '--data', data])),
    );
    for (const { code, stderr } of runs) t.is(code, 0, stderr);
    const { stdout } = await sluice(['controller', 'sites', '--json', '--data', data]);
    t.deepEqual(
      jsonLines(stdout).map(({ name }) => name),
      names,
    );
  },
);

test.serial('a new admin token is good at once, and the old one void', async (t) => {
  const data = temporaryFolder('controller');
  const controller = await startProcess(['--data', data, ...ANY_PORT]);
  const file = join(data, 'admin-token');
  const old = (await readFile(file, 'utf8')).trim();
  const { code, stdout } = await sluice(['controller', 'admin-token', '--data', data]);
  t.deepEqual([code, stdout], [0, `${file}\n`]);
  const token = (await readFile(file, 'utf8')).trim();
  t.is((await new Client(controller.url, old).get('/v1/sites')).status, 401);
  t.is((await new Client(controller.url, token).get('/v1/sites')).status, 200);
  t.is(await controller.end('SIGTERM'), 0);
});

test.serial(
  'sites, revoke and admin-token make no database where there is none',
  async (t) => {
    const data = join(temporaryFolder('controller'), 'typo');
    for (const words of [['sites'], ['revoke', 'edge-1'], ['admin-token']]) {
      await refused(t, [...words, '--data', data], /holds no controller's data; give/);
    }
    await t.throwsAsync(stat(data));
  },
);

test.serial('the default folder is in XDG_STATE_HOME when that is set', async (t) => {
  const { stdout } = await sluice(['controller', '--help']);
  t.regex(stdout, /--data <directory> .*default:\s+(\$XDG_STATE_HOME|\.\/sluice-)/);
});

test.serial('with a certificate it speaks HTTPS', async (t) => {
  const folder = temporaryFolder('controller');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
        ...['-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost'],
      ],
      { stdio: 'ignore' },
    );
  } catch {
    t.log('skipped: no openssl to make a certificate with');
    t.pass();
    return;
  }
  const controller = await startProcess([
    ...['--data', join(folder, 'data'), ...ANY_PORT],
    ...['--tls-cert', cert, '--tls-key', key],
  ]);
  t.regex(controller.url, /^https:/);
  const ca = await readFile(cert);
  const status = await new Promise((resolve, reject) => {
    const options = { ca, servername: 'localhost', agent: false } as const;
    request(`${controller.url}/healthz`, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  t.is(status, 200);
  t.is(await controller.end('SIGTERM'), 0);
});

test.serial('wrong options are refused', async (t) => {
  for (const listen of [
    '8787',
    'localhost',
    '127.0.0.1:',
    ':80',
    'a:b',
    '::1:80',
    '1:70000',
  ]) {
    await refused(t, ['--listen', listen], /Expected HOST:PORT, as 127\.0\.0\.1:8787/);
  }
  await refused(t, ['--log-level', 'loud'], /Allowed choices are debug, info/);
  await refused(t, ['enroll', 'x'], /too many arguments/);
  await refused(t, ['enrol'], /missing required argument 'site'/);
  await refused(t, ['enrol', 'Über'], /Expected lower case letters, digits/);
});

test.serial('what it cannot use to keep data is refused', async (t) => {
  const folder = temporaryFolder('controller');
  const file = join(folder, 'file');
  await writeFile(file, '');
  const start = (data: string) => ['--data', data, ...ANY_PORT];
  await refused(
    t,
    start(file),
    /file: cannot be used to keep data: a file is in its place/,
  );
  await refused(t, start(join(file, 'x')), /cannot be used to keep data: ENOTDIR/);
  await refused(
    t,
    start('/proc/sluice'),
    /^sluice: \/proc\/sluice: cannot be used to keep/,
  );
  const damaged = join(folder, 'damaged');
  await mkdir(damaged);
  await writeFile(join(damaged, 'controller.db'), 'no database '.repeat(1000));
  await refused(
    t,
    start(damaged),
    /controller\.db: is damaged \(file is not a database\)/,
  );
  await refused(t, ['sites', '--data', damaged], /controller\.db: is damaged/);
});

test.serial('a newer database is refused', async (t) => {
  const data = temporaryFolder('controller');
  await enrolIn(data, 'edge-1');
  const database = new Database(join(data, 'controller.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await refused(
    t,
    ['--data', data, ...ANY_PORT],
    /has version 99, this program knows \d+: /,
  );
  await refused(t, ['enrol', 'edge-2', '--data', data], /has version 99/);
});

test.serial('an address that cannot be listened at is refused', async (t) => {
  const data = temporaryFolder('controller');
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const start = (listen: string) => ['--data', data, '--listen', listen];
  await refused(
    t,
    start(`127.0.0.1:${port}`),
    /^sluice: --listen 127\.0\.0\.1:\d+: something else listens there; give another port/,
  );
  taken.close();
  await refused(t, start('192.0.2.1:8787'), /this machine has no such address/);
  await refused(t, start('no-such-host.invalid:8787'), /there is no host of this name/);
});

test.serial('TLS files that cannot be used are refused', async (t) => {
  const folder = temporaryFolder('controller');
  const file = join(folder, 'text.pem');
  await writeFile(file, 'no certificate');
  const start = (...tls: string[]) => [
    '--data',
    join(folder, 'data'),
    ...ANY_PORT,
    ...tls,
  ];
  await refused(t, start('--tls-cert', file), /both are needed, or none/);
  const missing = start('--tls-cert', join(folder, 'none'), '--tls-key', file);
  await refused(t, missing, /--tls-cert .*none: cannot be read: ENOENT/);
  const wrong = start('--tls-cert', file, '--tls-key', file);
  await refused(t, wrong, /are no certificate and its key in PEM/);
  await t.throwsAsync(
    stat(join(folder, 'data')),
    undefined,
    'refused before anything is made',
  );
});
