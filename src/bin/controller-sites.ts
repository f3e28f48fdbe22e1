// `sluice controller enrol|sites|revoke|admin-token`: on the database itself, so that they need no running controller.

import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import {
  adminTokenFile,
  databaseFile,
  openDataFolder,
  replaceAdminToken,
} from '../controller/data-folder.ts';
import type { Site, Storage } from '../controller/storage.ts';
import { newToken, tokenHash } from '../controller/tokens.ts';
import { InputError } from '../errors.ts';
import { siteNameSchema } from '../report/report.ts';
import { dataOf, dataOption } from './data-option.ts';
import { type Column, emit, heading, row, say, thousands } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'site', width: 20, align: 'left' },
  { title: 'enrolled', width: 20, align: 'left' },
  { title: 'last report', width: 20, align: 'left' },
  { title: 'reports', width: 9, align: 'right' },
  { title: 'flows', width: 11, align: 'right' },
  { title: 'agent', width: 8, align: 'left' },
  { title: 'model', width: 0, align: 'left' },
];

interface JsonOption {
  readonly json?: true;
}

export function enrolCommand(): Command {
  return new Command('enrol')
    .description('let a site in: makes its token, which is shown this once')
    .argument('<site>', 'a name of its own', siteName)
    .addOption(dataOption())
    .option('--json', 'one JSON object: site, token')
    .addHelpText(
      'after',
      '\nA site whose token was revoked gets a new one and keeps its reports.',
    )
    .action(enrol);
}

export function sitesCommand(): Command {
  return new Command('sites')
    .description('the sites and when each was heard of')
    .addOption(dataOption())
    .option('--json', 'one JSON object a site')
    .action(sites);
}

export function revokeCommand(): Command {
  return new Command('revoke')
    .description('refuse the token of a site from now on; its reports stay')
    .argument('<site>', 'its name', siteName)
    .addOption(dataOption())
    .action(revoke);
}

export function adminTokenCommand(): Command {
  return new Command('admin-token')
    .description('make a new admin token, in place of the old one')
    .addOption(dataOption())
    .action(makeAdminToken);
}

function siteName(text: string): string {
  const { success, data, error } = siteNameSchema.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError(`Expected ${error.issues[0]?.message ?? 'a name'}.`);
}

async function enrol(site: string, options: JsonOption, command: Command): Promise<void> {
  const data = dataOf(command);
  if (!existsSync(databaseFile(data))) {
    say(`${data}: is new; start \`sluice controller\` with the same --data`);
  }
  await withStorage(data, async (storage) => {
    const token = newToken();
    if (!(await storage.addSite(site, tokenHash(token), Date.now()))) {
      throw new InputError(
        'ERR_SITE_ENROLLED',
        `site ${site}: is enrolled; \`sluice controller revoke ${site}\` first if it needs a new token`,
      );
    }
    if (options.json === true) {
      await emit(JSON.stringify({ site, token }));
      return;
    }
    await emit(`token  ${token}`);
    await emit(
      `agent  sluice agent -i IF --controller URL --site ${site} --token-file FILE`,
    );
    say('keep the token in FILE on the router, with mode 0600; it is not shown again');
  });
}

async function sites(options: JsonOption, command: Command): Promise<void> {
  await withExisting(dataOf(command), async (storage) => {
    const all = await storage.sites();
    if (options.json === true) {
      for (const site of all) await emit(JSON.stringify(site));
      return;
    }
    await emit(heading(COLUMNS));
    for (const site of all) await emit(row(COLUMNS, cells(site)));
  });
}

function cells(site: Site): string[] {
  return [
    site.name,
    site.revokedAtMs === null ? time(site.enrolledAtMs) : 'revoked',
    site.lastReportMs === null ? 'never' : time(site.lastReportMs),
    thousands(site.reports),
    thousands(site.flows),
    site.agentVersion ?? '-',
    site.model ?? '-',
  ];
}

/** To the second, UTC. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

async function revoke(site: string, _options: object, command: Command): Promise<void> {
  await withExisting(dataOf(command), async (storage) => {
    if (await storage.revokeSite(site, Date.now())) return;
    const why = (await storage.hasSite(site))
      ? 'is revoked already'
      : 'is not enrolled; `sluice controller sites` lists all';
    throw new InputError('ERR_SITE_UNKNOWN', `site ${site}: ${why}`);
  });
}

async function makeAdminToken(_options: object, command: Command): Promise<void> {
  const data = dataOf(command);
  await withExisting(data, (storage) => replaceAdminToken(data, storage));
  await emit(adminTokenFile(data));
}

/** For what makes no sense without a database: a wrong --data then makes none. */
function withExisting(
  data: string,
  work: (storage: Storage) => Promise<void>,
): Promise<void> {
  if (!existsSync(databaseFile(data))) {
    throw new InputError(
      'ERR_DATA_FOLDER',
      `${data}: holds no controller's data; give the controller's folder with --data`,
    );
  }
  return withStorage(data, work);
}

async function withStorage(
  data: string,
  work: (storage: Storage) => Promise<void>,
): Promise<void> {
  process.umask(0o077);
  const storage = openDataFolder(data);
  try {
    await work(storage);
  } finally {
    await storage.close();
  }
}
