// Dovecot (IMAP) and Postfix (mail submission), TLS from the first byte (RFC 8314), each with its own TLS over OpenSSL. Both are on
// port 443 as every server of the lab is: the port would name the class.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIL_DOMAIN, MAIL_USER, mailRoot } from './mailboxes.ts';
import { PORT, type ServedHost, type ServerSoftware } from './server-software.ts';
import { present } from './toolchain.ts';

/** Where Dovecot tells Postfix whether a password is right. */
const AUTH_PORT = 12_345;

export const DOVECOT: ServerSoftware = {
  name: 'dovecot',
  stack: 'OpenSSL',
  protocols: ['imap'],
  streams: false,
  hosts: 2,
  lacking: () =>
    present('dovecot')
      ? undefined
      : 'dovecot is not installed: apt-get install dovecot-imapd',
  start: async (hosts, folder, seed) => {
    await openFolder(folder);
    const file = join(folder, 'dovecot.conf');
    await writeFile(file, dovecotConfiguration(hosts, folder));
    const program = fileURLToPath(new URL('./mail-host.js', import.meta.url));
    return [process.execPath, program, file, mailRoot(folder), `${seed}`];
  },
  ready: 'starting up',
};

function dovecotConfiguration(hosts: readonly ServedHost[], folder: string): string {
  const local = ({ ipv4, ipv6, chain, key }: ServedHost): string =>
    [ipv4, ipv6]
      .map(
        (address) =>
          `local ${address} {\n  ssl_cert = <${chain}\n  ssl_key = <${key}\n}\n`,
      )
      .join('');
  const [first] = hosts;
  const listener = ({ ipv4, ipv6 }: ServedHost, i: number): string => `
  inet_listener lab${i} {
    address = ${ipv4} ${ipv6}
    port = ${PORT}
    ssl = yes
  }`;
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = imap
ssl = required
ssl_cert = <${first?.chain}
ssl_key = <${first?.key}
ssl_min_protocol = TLSv1.2
first_valid_uid = ${MAIL_USER}
mail_location = maildir:${mailRoot(folder)}/%n
mail_max_userip_connections = 100
imap_idle_notify_interval = 30 s
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=${MAIL_USER} gid=${MAIL_USER} home=${mailRoot(folder)}/%n
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = ${AUTH_PORT}
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 0
  }${hosts.map(listener).join('')}
}
${hosts.map(local).join('')}`;
}

export const POSTFIX: ServerSoftware = {
  name: 'postfix',
  stack: 'OpenSSL',
  protocols: ['smtp'],
  streams: false,
  hosts: 2,
  // It asks Dovecot about passwords and delivers into its mailboxes.
  lacking: () =>
    DOVECOT.lacking() ??
    (present('postfix')
      ? undefined
      : 'postfix is not installed: apt-get install postfix'),
  start: async (hosts, folder) => {
    await openFolder(folder);
    const configuration = join(folder, 'configuration');
    for (const name of ['configuration', 'queue', 'data'])
      await mkdir(join(folder, name));
    await writeFile(join(configuration, 'main.cf'), postfixMain(folder));
    await writeFile(join(configuration, 'master.cf'), postfixMaster(hosts));
    await writeFile(join(configuration, 'boxes'), '/^(user[0-9]+)@/ $1/\n');
    const own = `postfix -c ${configuration}`;
    // The first one makes the queue's folders.
    const prepare = `chown postfix ${folder}/data && ${own} check`;
    // It opens /dev/stdout by that name, which goes with a pipe but not with the sockets that Node gives.
    return ['sh', '-c', `{ ${prepare} && ${own} start-fg; } 2>&1 | cat >&2`];
  },
  ready: 'daemon started',
};

function postfixMain(folder: string): string {
  return `compatibility_level = 3.6
maillog_file = /dev/stdout
queue_directory = ${folder}/queue
data_directory = ${folder}/data
myhostname = relay.${MAIL_DOMAIN}
mydestination =
inet_interfaces = all
smtpd_peername_lookup = no
disable_dns_lookups = yes
biff = no
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = ${MAIL_DOMAIN}
virtual_mailbox_base = ${mailRoot(folder)}
virtual_mailbox_maps = regexp:${folder}/configuration/boxes
virtual_uid_maps = static:${MAIL_USER}
virtual_gid_maps = static:${MAIL_USER}
virtual_mailbox_limit = 0
message_size_limit = 60000000
mailbox_size_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${AUTH_PORT}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_tls_security_level = encrypt
smtpd_tls_session_cache_database =
smtpd_tls_loglevel = 0
`;
}

function postfixMaster(hosts: readonly ServedHost[]): string {
  const wrapped = ({ chain, key }: ServedHost): string =>
    `  -o smtpd_tls_wrappermode=yes\n  -o smtpd_tls_chain_files=${key},${chain}\n`;
  const listening = hosts
    .flatMap((host) =>
      [host.ipv4, `[${host.ipv6}]`].map(
        (address) => `${address}:${PORT} inet n - n - - smtpd\n${wrapped(host)}`,
      ),
    )
    .join('');
  return `${listening}cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`;
}

/** The servers' own users have to get to it through the batch's folder. */
async function openFolder(folder: string): Promise<void> {
  await chmod(dirname(folder), 0o711);
  await chmod(folder, 0o755);
}
