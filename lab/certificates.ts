// A certificate authority that lives as long as a run: root, one intermediate, and a leaf for each host.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from './plan.ts';
import { run } from './processes.ts';

const DAYS = '30';

/** Where the server finds a host's chain and key (PEM). */
export interface HostFiles {
  readonly chain: string;
  readonly key: string;
}

export function hostFiles(directory: string, host: Pick<Host, 'name'>): HostFiles {
  return {
    chain: join(directory, `${host.name}.pem`),
    key: join(directory, `${host.name}.key`),
  };
}

export function rootFile(directory: string): string {
  return join(directory, 'root.pem');
}

/** Makes the authority in `directory`. @throws InputError ERR_LAB_TOOL without the openssl program. */
export async function makeAuthority(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const isAuthority = 'basicConstraints=critical,CA:TRUE';
  await makeKey(join(directory, 'root.key'), 'p256');
  await run('openssl', [
    ...[
      'req',
      '-x509',
      '-new',
      '-key',
      join(directory, 'root.key'),
      '-out',
      rootFile(directory),
    ],
    ...[
      '-days',
      DAYS,
      '-subj',
      '/O=Sluice lab/CN=Sluice lab root',
      '-addext',
      isAuthority,
    ],
  ]);
  await makeKey(join(directory, 'issuer.key'), 'p256');
  await sign(directory, {
    name: 'issuer',
    subject: '/O=Sluice lab/CN=Sluice lab issuer',
    extensions: `${isAuthority}\nkeyUsage=critical,keyCertSign,cRLSign\n`,
    by: 'root',
  });
}

/** Makes chain and key of each host. */
export async function makeLeaves(
  directory: string,
  hosts: readonly Pick<Host, 'name' | 'certificate' | 'otherNames'>[],
): Promise<void> {
  for (const host of hosts) {
    const { chain, key } = hostFiles(directory, host);
    const withIssuer = host.certificate.endsWith('-chain');
    await makeKey(key, host.certificate.startsWith('rsa') ? 'rsa2048' : 'p256');
    const names = [host.name, ...host.otherNames].map((name) => `DNS:${name}`);
    await sign(directory, {
      name: host.name,
      subject: `/CN=${host.name}`,
      extensions: `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`,
      by: withIssuer ? 'issuer' : 'root',
    });
    if (!withIssuer) continue;
    const issuer = await readFile(join(directory, 'issuer.pem'), 'utf8');
    await writeFile(chain, (await readFile(chain, 'utf8')) + issuer);
  }
}

async function makeKey(file: string, kind: 'p256' | 'rsa2048'): Promise<void> {
  const of =
    kind === 'p256'
      ? ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
      : ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
  await run('openssl', ['genpkey', '-quiet', '-algorithm', ...of, '-out', file]);
}

interface Signing {
  readonly name: string;
  readonly subject: string;
  readonly extensions: string;
  readonly by: 'root' | 'issuer';
}

/** Signs `<name>.key` into `<name>.pem`. */
async function sign(directory: string, signing: Signing): Promise<void> {
  const file = (extension: string, name = signing.name): string =>
    join(directory, `${name}.${extension}`);
  await writeFile(file('ext'), signing.extensions);
  const request = ['req', '-new', '-key', file('key'), '-subj', signing.subject];
  await run('openssl', [...request, '-out', file('csr')]);
  await run('openssl', [
    ...['x509', '-req', '-in', file('csr'), '-days', DAYS, '-extfile', file('ext')],
    ...[
      '-CA',
      file('pem', signing.by),
      '-CAkey',
      file('key', signing.by),
      '-CAcreateserial',
    ],
    ...['-out', file('pem')],
  ]);
}
