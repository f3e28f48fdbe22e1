// The server software of the lab. All that speak HTTP serve the same application (origin/origin.ts), so that no server stands
// for a class; what differs is who speaks TLS and QUIC in front of it. Mail has servers of its own: mail-servers.ts.

import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OriginSetup } from '../origin/origin.ts';
import { DOVECOT, POSTFIX } from './mail-servers.ts';
import {
  ORIGIN_PORT,
  PORT,
  type ServedHost,
  type ServerSoftware,
} from './server-software.ts';
import { TALKER } from './talk-server.ts';
import { present, TOOLS } from './toolchain.ts';

const CADDY: ServerSoftware = {
  name: 'caddy',
  stack: 'Go',
  protocols: ['h1', 'h2', 'h3'],
  // Of 2.6.2: it ends such a request with the first answer.
  streams: false,
  hosts: 6,
  lacking: () =>
    present('caddy') ? undefined : 'caddy is not installed: apt-get install caddy',
  start: async (hosts, folder) => {
    const file = join(folder, 'Caddyfile');
    await writeFile(file, caddyfile(hosts));
    // It keeps state in places that these name.
    const home = [
      `XDG_CONFIG_HOME=${folder}`,
      `XDG_DATA_HOME=${folder}`,
      `HOME=${folder}`,
    ];
    return ['env', ...home, 'caddy', 'run', '--config', file, '--adapter', 'caddyfile'];
  },
  ready: 'serving initial configuration',
};

function caddyfile(hosts: readonly ServedHost[]): string {
  const site = ({ name, ipv4, ipv6, chain, key }: ServedHost): string =>
    `https://${name}:${PORT} {\n  bind ${ipv4} ${ipv6}\n  tls ${chain} ${key}\n` +
    `  reverse_proxy 127.0.0.1:${ORIGIN_PORT} {\n    flush_interval -1\n  }\n}\n`;
  return (
    '{\n  admin off\n  auto_https off\n  skip_install_trust\n' +
    '  servers {\n    protocols h1 h2 h3\n  }\n}\n' +
    hosts.map(site).join('')
  );
}

const NGINX: ServerSoftware = {
  name: 'nginx',
  stack: 'OpenSSL',
  protocols: ['h1', 'h2'],
  streams: false,
  hosts: 4,
  lacking: () =>
    present('nginx') ? undefined : 'nginx is not installed: apt-get install nginx-light',
  start: async (hosts, folder) => {
    const file = join(folder, 'nginx.conf');
    await writeFile(file, nginxConfiguration(hosts, folder));
    return ['nginx', '-c', file, '-p', folder];
  },
  ready: 'start worker process',
};

function nginxConfiguration(hosts: readonly ServedHost[], folder: string): string {
  const server = ({ name, ipv4, ipv6, chain, key }: ServedHost): string => `
  server {
    listen ${ipv4}:${PORT} ssl http2;
    listen [${ipv6}]:${PORT} ssl http2;
    server_name ${name};
    ssl_certificate ${chain};
    ssl_certificate_key ${key};
    location / { proxy_pass http://origin; }
  }`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};\n`)
    .join('');
  return `daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 2048; }
http {
  access_log off;
${temporary}  map $http_upgrade $lab_connection { default upgrade; '' ''; }
  upstream origin { server 127.0.0.1:${ORIGIN_PORT}; keepalive 32; }
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $lab_connection;
  proxy_buffering off;
  proxy_request_buffering off;
  proxy_read_timeout 300s;
  keepalive_timeout 120s;
  client_max_body_size 0;
  large_client_header_buffers 8 32k;
  server_names_hash_bucket_size 128;
  ssl_protocols TLSv1.2 TLSv1.3;
${hosts.map(server).join('')}
}
`;
}

const GO: ServerSoftware = {
  name: 'go',
  stack: 'Go',
  protocols: ['h1', 'h2', 'h3'],
  streams: true,
  hosts: 6,
  lacking: () => (present(TOOLS.goServer) ? undefined : 'go is not installed'),
  start: async (hosts, folder) => {
    const setup = {
      origin: `http://127.0.0.1:${ORIGIN_PORT}`,
      port: PORT,
      hosts: hosts.map(({ ipv4, ipv6, chain, key }) => ({
        addresses: [ipv4, ipv6],
        chain,
        key,
      })),
    };
    const file = join(folder, 'setup.json');
    await writeFile(file, JSON.stringify(setup));
    return [TOOLS.goServer, file];
  },
  ready: 'ready',
};

/** Node serves its hosts from the origin's own process. */
export const NODE_SERVER = 'node';

export const SERVERS: readonly ServerSoftware[] = [
  CADDY,
  GO,
  NGINX,
  {
    name: NODE_SERVER,
    stack: 'OpenSSL',
    protocols: ['h1', 'h2'],
    streams: false,
    hosts: 4,
    lacking: () => undefined,
    start: async () => [],
    ready: undefined,
  },
  DOVECOT,
  POSTFIX,
  TALKER,
];

/** hls.js for a script element. */
function hlsPlayer(): string {
  return createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
}

/** The command of the application, with the hosts that Node serves itself. */
export async function originCommand(
  hosts: readonly ServedHost[],
  folder: string,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const setup: OriginSetup = {
    loopbackPort: ORIGIN_PORT,
    films: { folder: TOOLS.films, player: hlsPlayer() },
    hosts: hosts.map(({ name, ipv4, ipv6, chain, key }) => ({
      name,
      addresses: [ipv4, ipv6],
      port: PORT,
      chain,
      key,
    })),
  };
  const file = join(folder, 'origin.json');
  await writeFile(file, JSON.stringify(setup));
  return [
    process.execPath,
    fileURLToPath(new URL('../origin/origin.js', import.meta.url)),
    file,
  ];
}
